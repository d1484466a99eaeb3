import { createRequire } from 'node:module';
import {
  encodeRecord,
  type RecordToEncode,
} from '../../services/shared/kafka/protocol/encodeRecord.ts';

const crc32c: (bytes: Buffer) => number = createRequire(import.meta.url)(
  'kafkajs/src/protocol/recordBatch/crc32C',
);

export interface BatchToEncode {
  /** Compressed by `compress` together, one behind the other. */
  records: readonly (RecordToEncode | Buffer)[];
  /** Bits of the codec and of transactions, see the documentation of Kafka. */
  attributes?: number;
  compress?: (bytes: Buffer) => Buffer;
  firstOffset?: number;
  firstTimestampMs?: number;
  producerId?: number;
  producerEpoch?: number;
  firstSequence?: number;
  /** What the batch says instead of the truth. */
  recordCount?: number;
  lastOffsetDelta?: number;
}

/** Encodes a batch of magic 2, with a right checksum, as it stands in a log. */
export function encodeBatch(batch: BatchToEncode): Buffer {
  const { records, compress = bytes => bytes, firstOffset = 0 } = batch;
  const timestampMs = BigInt(batch.firstTimestampMs ?? 1_700_000_000_000);
  const bytes = compress(
    Buffer.concat(
      records.map((record, offsetDelta) =>
        Buffer.isBuffer(record) ? record : encodeRecord({ offsetDelta, ...record }),
      ),
    ),
  );
  const checked = Buffer.alloc(40 + bytes.length);
  checked.writeInt16BE(batch.attributes ?? 0, 0);
  checked.writeInt32BE(batch.lastOffsetDelta ?? records.length - 1, 2);
  checked.writeBigInt64BE(timestampMs, 6);
  checked.writeBigInt64BE(timestampMs, 14);
  checked.writeBigInt64BE(BigInt(batch.producerId ?? -1), 22);
  checked.writeInt16BE(batch.producerEpoch ?? -1, 30);
  checked.writeInt32BE(batch.firstSequence ?? -1, 32);
  checked.writeInt32BE(batch.recordCount ?? records.length, 36);
  bytes.copy(checked, 40);
  const header = Buffer.alloc(21);
  header.writeBigInt64BE(BigInt(firstOffset), 0);
  header.writeInt32BE(9 + checked.length, 8);
  header.writeInt32BE(0, 12); // epoch of the leader
  header.writeInt8(2, 16);
  header.writeUInt32BE(crc32c(checked) >>> 0, 17);
  return Buffer.concat([header, checked]);
}

import { BatchError, malformed } from './batchError.ts';
import type { BatchLimits } from './batchLimits.ts';
import { boundedDecompress, codecNames } from './boundedDecompress.ts';

/** The values of a repeated header are an array. A null value is legal in Kafka, and stays null. */
export type DecodedHeaders = Record<string, Buffer | null | (Buffer | null)[]>;

/** What kafkajs knows of the batch that a record came in. 64-bit numbers are text. */
export interface BatchContext {
  firstOffset: string;
  firstTimestamp: string;
  partitionLeaderEpoch: number;
  inTransaction: boolean;
  isControlBatch: boolean;
  lastOffsetDelta: number;
  producerId: string;
  producerEpoch: number;
  firstSequence: number;
  maxTimestamp: string;
  timestampType: number;
  magicByte: number;
}

export interface DecodedRecord {
  timestamp: string;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: DecodedHeaders;
}

/*
 * Where the fields of a batch begin, magic 2.
 * https://kafka.apache.org/documentation/#recordbatch
 */
const at = {
  firstOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  firstSequence: 53,
  recordCount: 57,
  records: 61,
};
/** Bytes of the first offset and of the length, which the length itself does not count. */
export const logOverheadBytes = 12;
/** The least that the length of a batch may be. */
export const minBatchLength = at.records - logOverheadBytes;

const codecMask = 0x07;
const logAppendTimeFlag = 0x08;
const transactionFlag = 0x10;
const controlFlag = 0x20;

/** Reads the fields of a batch before its records. */
export function batchContext(batch: Buffer): BatchContext {
  const attributes = batch.readInt16BE(at.attributes);
  return {
    firstOffset: batch.readBigInt64BE(at.firstOffset).toString(),
    firstTimestamp: batch.readBigInt64BE(at.firstTimestamp).toString(),
    partitionLeaderEpoch: batch.readInt32BE(at.leaderEpoch),
    inTransaction: (attributes & transactionFlag) !== 0,
    isControlBatch: (attributes & controlFlag) !== 0,
    lastOffsetDelta: batch.readInt32BE(at.lastOffsetDelta),
    producerId: batch.readBigInt64BE(at.producerId).toString(),
    producerEpoch: batch.readInt16BE(at.producerEpoch),
    firstSequence: batch.readInt32BE(at.firstSequence),
    maxTimestamp: batch.readBigInt64BE(at.maxTimestamp).toString(),
    timestampType: (attributes & logAppendTimeFlag) === 0 ? 0 : 1,
    magicByte: batch.readInt8(at.magic),
  };
}

export interface DecodedBatch {
  records: DecodedRecord[];
  /** Bytes that the records take in memory, roughly. */
  cost: number;
}

/** Rough size in memory of a record and of a header, beside their bytes. */
const recordCost = 256;
const headerCost = 64;

/**
 * Decodes the records of one batch (magic 2), with a cost that is linear in their bytes. What the
 * batch claims about itself is never believed: neither counts nor lengths make it reserve memory.
 * @param batch from its first offset on, with nothing behind it
 * @throws BatchError for a batch that is damaged or exceeds a limit
 */
export function decodeRecordBatch(
  batch: Buffer,
  context: BatchContext,
  limits: BatchLimits,
): DecodedBatch {
  if (context.magicByte !== 2) throw malformed(`magic byte ${context.magicByte}, expected 2`);
  const codec = codecNames[batch.readInt16BE(at.attributes) & codecMask];
  if (codec === undefined) throw malformed('no such compression codec');
  const recordCount = Math.max(0, batch.readInt32BE(at.recordCount));
  if (recordCount > limits.maxRecords) {
    throw new BatchError(
      'batch-too-large',
      `${recordCount} records, at most ${limits.maxRecords} are read as one batch`,
    );
  }
  const compressed = batch.subarray(at.records);
  const bytes =
    recordCount === 0 ? compressed : boundedDecompress(codec, compressed, limits.maxBytes);
  const reader = new RecordReader(bytes, context, limits.maxHeaders);
  const records: DecodedRecord[] = [];
  for (let index = 0; index < recordCount; index++) records.push(reader.record());
  return {
    records,
    cost: bytes.length + recordCost * recordCount + headerCost * reader.headerCount,
  };
}

/**
 * Reads one record after another.
 *
 * Invariant: it never reads behind the end of the bytes, and each read takes at least one of them.
 */
class RecordReader {
  readonly #bytes: Buffer;
  readonly #maxHeaders: number;
  readonly #firstOffset: number;
  readonly #firstTimestamp: bigint;
  /** The same as a number, or null when no number has it exactly. */
  readonly #firstMs: number | null;
  /** The timestamp of every record when the broker has set it. */
  readonly #appendTimestamp: string | null;
  #at = 0;
  headerCount = 0;

  constructor(bytes: Buffer, context: BatchContext, maxHeaders: number) {
    this.#bytes = bytes;
    this.#maxHeaders = maxHeaders;
    this.#firstOffset = Number(context.firstOffset);
    this.#firstTimestamp = BigInt(context.firstTimestamp);
    const firstMs = Number(context.firstTimestamp);
    this.#firstMs = Math.abs(firstMs) < 2 ** 52 ? firstMs : null;
    this.#appendTimestamp = context.timestampType === 1 ? context.maxTimestamp : null;
  }

  record(): DecodedRecord {
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw malformed('the length of a record is wrong');
    this.#at++; // attributes, which are unused
    const timestampDelta = this.#varlong();
    const offsetDelta = this.#varint();
    const record: DecodedRecord = {
      timestamp: this.#appendTimestamp ?? this.#timestamp(timestampDelta),
      offset: String(this.#firstOffset + offsetDelta),
      key: this.#nullableBytes(end),
      value: this.#nullableBytes(end),
      headers: this.#headers(end),
    };
    if (this.#at !== end) throw malformed('a record does not end where its length says');
    return record;
  }

  #timestamp(delta: number | bigint): string {
    if (typeof delta === 'number' && this.#firstMs !== null) return String(this.#firstMs + delta);
    return BigInt.asIntN(64, this.#firstTimestamp + BigInt(delta)).toString();
  }

  #headers(end: number): DecodedHeaders {
    const count = this.#varint();
    // A header takes two bytes at least.
    if (count < 0 || count > (end - this.#at) / 2)
      throw malformed('the number of headers of a record is wrong');
    this.headerCount += count;
    if (this.headerCount > this.#maxHeaders) {
      throw new BatchError(
        'batch-too-large',
        `more than ${this.#maxHeaders} headers, which is the most that is read of one batch`,
      );
    }
    // A header may have any name, also that of a property of Object.
    const headers: DecodedHeaders = Object.create(null);
    for (let index = 0; index < count; index++) {
      const name = this.#nullableBytes(end)?.toString('utf8');
      if (name === undefined) throw malformed('a header has no name');
      const value = this.#nullableBytes(end);
      const earlier = headers[name];
      if (earlier === undefined) headers[name] = value;
      else if (Array.isArray(earlier)) earlier.push(value);
      else headers[name] = [earlier, value];
    }
    return headers;
  }

  #nullableBytes(end: number): Buffer | null {
    const length = this.#varint();
    if (length === -1) return null;
    const start = this.#at;
    if (length < 0 || start + length > end) throw malformed('the length of a field is wrong');
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed('the records are cut off');
    return byte;
  }

  /** Reads a zigzag-coded number of up to 32 bits. */
  #varint(): number {
    let raw = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift > 28) throw malformed('a number has more than 32 bits');
      const byte = this.#byte();
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
    }
  }

  /** Reads a zigzag-coded number of up to 64 bits; one of up to 48 bits is no bigint. */
  #varlong(): number | bigint {
    let low = 0;
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = this.#byte();
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
    }
    let raw = BigInt(low);
    for (let shift = 49n; ; shift += 7n) {
      if (shift > 63n) throw malformed('a number has more than 64 bits');
      const byte = this.#byte();
      raw |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n));
    }
  }
}

import type { KafkaHeaders } from '../../services/shared/kafka/kafka.ts';
import { decodeRecordSet } from '../../services/shared/kafka/protocol/recordSet.ts';

interface BatchRecord {
  key: Buffer | null;
  value: Buffer | null;
  headers: KafkaHeaders;
}

/**
 * Reads the records of a batch that a service has set aside whole, or says why they cannot be read.
 * @param batch as Kafka stored it
 * @param maxBytes of the records after decompression
 */
export function recordsOfBatch(
  batch: Buffer | null,
  maxBytes: number,
): { records: BatchRecord[]; failure?: undefined } | { records?: undefined; failure: string } {
  const limits = {
    maxBytes,
    maxRecords: Number.MAX_SAFE_INTEGER,
    maxHeaders: Number.MAX_SAFE_INTEGER,
  };
  const messages = decodeRecordSet(
    batch ?? Buffer.alloc(0),
    { leftBytes: Number.POSITIVE_INFINITY },
    limits,
  );
  const setAside = messages.find(message => message.setAside)?.setAside;
  if (setAside?.class === 'batch-too-large')
    return { failure: `a batch has ${setAside.reason}; raise --max-batch-mib` };
  if (setAside) return { failure: `a batch cannot be read: ${setAside.reason}` };
  if (messages.length === 0) return { failure: 'a batch cannot be read: it is cut off' };
  return { records: messages.map(({ key, value, headers }) => ({ key, value, headers })) };
}

import { BatchError, type BatchErrorClass, malformed } from './batchError.ts';
import { type BatchLimits, batchLimits } from './batchLimits.ts';
import {
  type BatchContext,
  batchContext,
  type DecodedRecord,
  decodeRecordBatch,
  logOverheadBytes,
  minBatchLength,
} from './recordBatch.ts';

/** A batch that is passed over whole, because it cannot be read or would cost too much. */
export interface SetAsideBatch {
  class: BatchErrorClass;
  /** What is wrong with it. */
  reason: string;
  firstOffset: string;
}

/** A record as kafkajs expects it from a fetch. */
export interface FetchedMessage extends DecodedRecord {
  isControlRecord: boolean;
  batchContext: BatchContext;
  /**
   * The key where `key` is null because kafkajs would take it for the end of an aborted transaction.
   */
  hiddenKey?: Buffer;
  /** Present when this stands for a whole batch: its offset is the last one, its value the bytes. */
  setAside?: SetAsideBatch;
}

/** What the records of one answer of Kafka may still cost in memory. */
export interface FetchBudget {
  leftBytes: number;
}

/**
 * Cost of the decoded records of one answer, of all partitions together. When it is reached, the
 * batches that follow are left for the next request.
 */
export const maxFetchCostBytes = 96 * 1024 * 1024;

/** The key of the control record that ends an aborted transaction. kafkajs looks at nothing else. */
const abortMarkerKey = Buffer.from([0, 0, 0, 0]);

/**
 * Decodes what Kafka has sent of one partition: batches of magic 2, of which the last one may be cut
 * off. A batch that cannot be read, or that exceeds a limit, becomes one message that holds it
 * whole. So nothing that a producer sends makes this throw, and the records around are delivered.
 */
export function decodeRecordSet(
  set: Buffer,
  budget: FetchBudget,
  limits: BatchLimits = batchLimits,
): FetchedMessage[] {
  const messages: FetchedMessage[] = [];
  for (let start = 0; start + logOverheadBytes + minBatchLength <= set.length; ) {
    if (budget.leftBytes <= 0) break;
    const length = set.readInt32BE(start + logOverheadBytes - 4);
    // Where the next batch begins is not known then.
    const isKnown = length >= minBatchLength;
    const end = isKnown ? start + logOverheadBytes + length : set.length;
    if (end > set.length) break;
    const batch = set.subarray(start, end);
    const context = batchContext(batch);
    try {
      if (!isKnown) throw malformed(`a length of ${length} bytes`);
      const { records, cost } = decodeRecordBatch(batch, context, limits);
      budget.leftBytes -= cost;
      const isControlRecord = context.isControlBatch;
      const mayHide = context.inTransaction && !isControlRecord;
      for (const record of records) {
        const message: FetchedMessage = { ...record, isControlRecord, batchContext: context };
        if (mayHide && record.key?.equals(abortMarkerKey)) {
          message.key = null;
          message.hiddenKey = record.key;
        }
        messages.push(message);
      }
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      budget.leftBytes -= batch.length;
      messages.push(setAside(batch, context, error));
    }
    start = end;
  }
  return messages;
}

function setAside(batch: Buffer, context: BatchContext, error: BatchError): FetchedMessage {
  const { firstOffset, lastOffsetDelta, maxTimestamp } = context;
  return {
    timestamp: maxTimestamp,
    offset: String(Number(firstOffset) + Math.max(0, lastOffsetDelta)),
    key: null,
    value: batch,
    headers: {},
    isControlRecord: false,
    batchContext: context,
    setAside: { class: error.class, reason: error.message, firstOffset },
  };
}

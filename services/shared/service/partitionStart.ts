/*
 * A position says where a record is in the whole history of a partition. It is Kafka's offset plus
 * a base, which grows whenever the offsets begin again, as in a topic that was deleted and created
 * anew. So a position never means two records.
 */

/**
 * Bases are multiples of this number of offsets. At 100,000 records a second a partition reaches it
 * after 16 months.
 */
export const offsetsPerIncarnation = 2 ** 42;
/**
 * Records that are read again where Kafka has lost some: at most as many as the profiler recognises
 * by their ids.
 */
const recordsReadAgain = 100_000;

export interface Partition {
  topic: string;
  partition: number;
}

/** Returns a map's key for a partition; the name of a topic contains no slash. */
export function partitionKey({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}

/** What Kafka says of a partition. */
export interface PartitionLog {
  /** '' on a Kafka that gives no ids. */
  topicId: string;
  /** Offset of the first record that Kafka still has. */
  low: number;
  /** Offset of the next record to be written. */
  end: number;
  /** Offset that the consumer group has committed, or null. */
  committed: number | null;
}

/** How far a partition was read, when all of that was durable. */
export interface ReadPosition {
  topicId: string;
  /** Position of the next record to be read. */
  position: number;
  /** Position of the record that Kafka was to write next at that time. */
  end: number;
}

/**
 * Why a partition does not simply go on. recreated: the topic was deleted and created again.
 * truncated: Kafka has fewer records than were read, as after a restore. deleted: retention was
 * faster than the reader.
 */
export type BreakReason = 'recreated' | 'truncated' | 'deleted';

export interface TopicBreak {
  reason: BreakReason;
  /** Position at which reading would have gone on. */
  fromPosition: number;
  /** Position at which it goes on. */
  toPosition: number;
  /** Known number of records that were never read and are gone. */
  lostRecords: number;
}

export interface PartitionStart {
  /** Position of offset 0. */
  base: number;
  /** Offset to read from. */
  offset: number;
  break: TopicBreak | null;
}

/**
 * Returns where to go on in a partition. The stored position decides, not the committed offset:
 * Kafka deletes offsets with a topic and after a week without a reader, and a commit may come when
 * the topic has changed under it. A commit that is further back is followed, because that is how a
 * person asks for a second reading.
 * @param stored null when the partition was never read by a service that stores positions
 */
export function partitionStart(log: PartitionLog, stored: ReadPosition | null): PartitionStart {
  const { topicId, low, end, committed } = log;
  const known =
    stored ?? (committed === null ? null : { topicId, position: committed, end: committed });
  if (!known) return { base: 0, offset: low, break: null };
  const base = known.position - (known.position % offsetsPerIncarnation);
  const next = known.position - base;
  const nextBase = base + offsetsPerIncarnation;
  const startIn = (
    startBase: number,
    offset: number,
    reason: BreakReason,
    lostRecords: number,
  ): PartitionStart => ({
    base: startBase,
    offset,
    break: { reason, fromPosition: known.position, toPosition: startBase + offset, lostRecords },
  });

  const isOther = topicId !== '' && known.topicId !== '' && topicId !== known.topicId;
  if (isOther) return startIn(nextBase, low, 'recreated', known.end - known.position + low);
  if (end < next) {
    const readBefore = Math.min(committed ?? end, end);
    return startIn(nextBase, Math.max(low, readBefore - recordsReadAgain), 'truncated', 0);
  }
  if (next < low) return startIn(base, low, 'deleted', low - next);
  return { base, offset: Math.max(low, Math.min(committed ?? next, next)), break: null };
}

import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import { topicsOfKind } from '../../services/shared/config/inputs.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { Kafka, KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { connectTopicIds } from '../../services/shared/kafka/topicIds.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { partitionStart, type ReadPosition } from '../../services/shared/service/partitionStart.ts';
import { UserError } from '../../services/shared/userError.ts';

/** A partition of a producers' topic, and the offsets of it that are read. */
export interface PlannedPartition {
  service: 'profiler' | 'evaluator';
  topic: string;
  topicId: string;
  partition: number;
  /** Position of offset 0. */
  base: number;
  fromOffset: number;
  endOffset: number;
}

export interface RebuildPlan {
  partitions: PlannedPartition[];
  /**
   * Event time from which on everything is computed again. null: all of it, because the topics hold
   * every record that there ever was.
   */
  fromMs: number | null;
}

/** How far the event time of a record may be ahead of the wall clock; services refuse others. */
const toleratedMs = 3_600_000;

/**
 * Finds out what a rebuild has to read. Every record of a window that starts at T was logged after
 * T minus the tolerated hour. So if a topic has lost its first records, exact windows start one
 * hour after the oldest record that is left.
 * @param from event time in ms; null: the earliest time from which the result is exact
 * @throws UserError if the topics do not reach back to `from`
 */
export async function rebuildPlan(
  kafka: Kafka,
  admin: KafkaAdmin,
  clickhouse: Clickhouse,
  environment: Environment,
  from: number | null,
): Promise<RebuildPlan> {
  const sources = rebuildSources(environment);
  const topicIds = connectTopicIds(kafka);
  const ids = await topicIds
    .of(sources.map(({ topic }) => topic))
    .finally(() => topicIds.disconnect());
  const partitions: PlannedPartition[] = [];
  for (const source of sources) {
    const topicId = ids.get(source.topic) ?? '';
    const stored = await storedPositions(clickhouse, source.service, source.topic);
    for (const { partition, low, high } of await admin.fetchTopicOffsets(source.topic)) {
      const log = { topicId, low: Number(low), end: Number(high), committed: null };
      const { base } = partitionStart(log, stored.get(partition) ?? null);
      partitions.push({
        ...source,
        topicId,
        partition,
        base,
        fromOffset: log.low,
        endOffset: log.end,
      });
    }
  }
  const shortened = partitions.filter(({ base, fromOffset }) => base > 0 || fromOffset > 0);
  if (from === null && shortened.length === 0) return { partitions, fromMs: null };
  const reach = await reachOf(admin, shortened);
  const fromMs = Math.max(from ?? Number.NEGATIVE_INFINITY, reach.fromMs);
  if (from !== null && from < reach.fromMs) {
    throw new UserError(
      `--from ${new Date(from).toISOString()}: topic ${reach.topic} no longer has its first records; the earliest possible time is ${new Date(reach.fromMs).toISOString()}, which "beginning" takes`,
    );
  }
  return { partitions: await startingAt(admin, partitions, fromMs - toleratedMs), fromMs };
}

/** Returns the topics of producers, each once, and the services that read them. */
export function rebuildSources(
  environment: Environment,
): { service: 'profiler' | 'evaluator'; topic: string }[] {
  const { inputs } = readSettings(environment.DRIFTLOOP_CONFIG);
  const predictions = [
    prefixed(environment, topics.predictions),
    ...topicsOfKind(inputs, 'prediction'),
  ];
  const feedback = [prefixed(environment, topics.feedback), ...topicsOfKind(inputs, 'feedback')];
  return [
    ...Array.from(new Set(predictions), topic => ({ service: 'profiler' as const, topic })),
    ...Array.from(new Set(feedback), topic => ({ service: 'evaluator' as const, topic })),
  ];
}

async function storedPositions(
  clickhouse: Clickhouse,
  service: string,
  topic: string,
): Promise<Map<number, ReadPosition>> {
  const rows = await clickhouse.select<{
    partition: number;
    position: number;
    topic_id: string;
    end_position: number;
  }>(
    `SELECT partition, position, topic_id, end_position FROM topic_positions FINAL
     WHERE service = {service:String} AND topic = {topic:String}`,
    { service, topic },
  );
  return new Map(
    rows.map(({ partition, position, topic_id, end_position }) => [
      partition,
      { position, topicId: topic_id, end: end_position },
    ]),
  );
}

/**
 * Finds the earliest event time from which on all records are still there, and the topic that
 * reaches back least.
 */
async function reachOf(
  admin: KafkaAdmin,
  shortened: readonly PlannedPartition[],
): Promise<{ fromMs: number; topic: string }> {
  let reach = { fromMs: Number.NEGATIVE_INFINITY, topic: '' };
  for (const [topic, partitions] of Map.groupBy(shortened, partition => partition.topic)) {
    const fromMs = (await firstTimeMs(admin, topic, partitions)) + toleratedMs;
    if (fromMs > reach.fromMs) reach = { fromMs, topic };
  }
  return reach;
}

/**
 * Finds the earliest time such that each partition has a record from before it. Kafka only says
 * which record is the first one at or after a time, so the time is found by bisection.
 */
async function firstTimeMs(
  admin: KafkaAdmin,
  topic: string,
  partitions: readonly PlannedPartition[],
): Promise<number> {
  let [before, after] = [0, Date.now()];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    const offsets = await offsetsAt(admin, topic, middle);
    if (partitions.every(({ partition, fromOffset }) => offsets.get(partition)! > fromOffset))
      after = middle;
    else before = middle;
  }
  return after;
}

async function offsetsAt(
  admin: KafkaAdmin,
  topic: string,
  timeMs: number,
): Promise<Map<number, number>> {
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timeMs);
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
}

async function startingAt(
  admin: KafkaAdmin,
  partitions: readonly PlannedPartition[],
  timeMs: number,
): Promise<PlannedPartition[]> {
  const starting: PlannedPartition[] = [];
  for (const [topic, ofTopic] of Map.groupBy(partitions, partition => partition.topic)) {
    const offsets = await offsetsAt(admin, topic, timeMs);
    for (const partition of ofTopic) {
      const { fromOffset, endOffset } = partition;
      const offset = offsets.get(partition.partition) ?? fromOffset;
      starting.push({
        ...partition,
        fromOffset: Math.min(Math.max(fromOffset, offset), endOffset),
      });
    }
  }
  return starting;
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import { isPassingKafkaError } from '../kafka/isPassingKafkaError.ts';
import type { Kafka, KafkaAdmin } from '../kafka/kafka.ts';
import type { TopicIds } from '../kafka/topicIds.ts';
import type { ServiceMetrics } from './metrics.ts';
import {
  type PartitionStart,
  partitionStart,
  type ReadPosition,
  type TopicBreak,
} from './partitionStart.ts';

export interface Partition {
  topic: string;
  partition: number;
}

/** A partition of which all records before `position` are durable. */
export interface ReadPartition extends Partition {
  position: number;
  end: number;
}

interface FoundStart extends Partition, PartitionStart {
  /** Of the next record that Kafka will write. */
  end: number;
  /** Up to where all is durable: not before what was stored, where the history goes on. */
  durable: number;
}

export interface FoundBreak extends Partition, TopicBreak {}

export interface ReadPositionsOptions {
  service: string;
  groupId: string;
  topics: readonly string[];
  kafka: Kafka;
  topicIds: TopicIds;
  clickhouse: Clickhouse;
  log: Logger;
  metrics: ServiceMetrics;
  /** Mends what a break does to what was derived from the topic; before the break counts as known. */
  onBreaks: (breaks: readonly FoundBreak[]) => Promise<void>;
}

export type ReadPositions = ReturnType<typeof readPositions>;

const pollMs = 200;
/** Shorter than any session timeout. */
const holdIsKnownMs = 1_000;

/**
 * How far a service has read its topics, in ClickHouse beside what it made of them. Notices when a topic is no longer the one that was
 * read, and when a rebuild wants the service to pause.
 */
export function readPositions(options: ReadPositionsOptions) {
  const { service, groupId, topics, kafka, topicIds, clickhouse, log, metrics, onBreaks } = options;
  /** When the reading of the present assignment began. */
  let ids = new Map<string, string>();
  let holdAskedAtMs = Number.NEGATIVE_INFINITY;

  /** A new one each time: what it knows of topics and their partitions may be minutes old. */
  async function withAdmin<T>(use: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** null while a topic is missing. */
  async function findStarts(assigned: readonly Partition[]): Promise<FoundStart[] | null> {
    ids = await topicIds.of(topics);
    if (topics.some(topic => !ids.has(topic))) return null;
    return nullIfPassing(withAdmin(admin => startsOf(admin, assigned)));
  }

  /** null when a topic was made again with fewer partitions. */
  async function startsOf(
    admin: KafkaAdmin,
    assigned: readonly Partition[],
  ): Promise<FoundStart[] | null> {
    const stored = await storedPositions();
    const committed = await committedOffsets(admin);
    const starts: FoundStart[] = [];
    for (const [topic, partitions] of Map.groupBy(assigned, partition => partition.topic)) {
      const ends = new Map(
        (await admin.fetchTopicOffsets(topic)).map(found => [found.partition, found]),
      );
      for (const { partition } of partitions) {
        const found = ends.get(partition);
        if (!found) return null;
        const key = `${topic}/${partition}`;
        const offsets = {
          low: Number(found.low),
          end: Number(found.high),
          committed: committed.get(key) ?? null,
        };
        const start = partitionStart(
          { topicId: ids.get(topic)!, ...offsets },
          stored.get(key) ?? null,
        );
        const durable = Math.max(start.base + start.offset, stored.get(key)?.position ?? 0);
        starts.push({ topic, partition, end: start.base + offsets.end, durable, ...start });
      }
    }
    return starts;
  }

  async function storedPositions(): Promise<Map<string, ReadPosition>> {
    const rows = await clickhouse.select<
      Partition & { position: number; topic_id: string; end_position: number }
    >(
      `SELECT topic, partition, position, topic_id, end_position FROM topic_positions FINAL
       WHERE service = {service:String} AND topic IN {topics:Array(String)}`,
      { service, topics },
    );
    return new Map(
      rows.map(({ topic, partition, position, topic_id, end_position }) => [
        `${topic}/${partition}`,
        { position, topicId: topic_id, end: end_position },
      ]),
    );
  }

  async function committedOffsets(admin: KafkaAdmin): Promise<Map<string, number>> {
    const committed = new Map<string, number>();
    for (const { topic, partitions } of await admin.fetchOffsets({
      groupId,
      topics: [...topics],
    })) {
      for (const { partition, offset } of partitions)
        if (Number(offset) >= 0) committed.set(`${topic}/${partition}`, Number(offset));
    }
    return committed;
  }

  async function savePositions(partitions: readonly ReadPartition[], hold: string): Promise<void> {
    await clickhouse.insert(
      'topic_positions',
      partitions.map(({ topic, partition, position, end }) => ({
        service,
        topic,
        partition,
        position,
        topic_id: ids.get(topic)!,
        end_position: end,
        hold,
      })),
    );
  }

  async function saveBreaks(breaks: readonly FoundBreak[]): Promise<void> {
    if (breaks.length === 0) return;
    await onBreaks(breaks);
    for (const { topic, partition, reason, fromPosition, toPosition, lostRecords } of breaks) {
      metrics.topicBreaks.inc({ topic, reason });
      metrics.lostRecords.inc({ topic }, lostRecords);
      const where = { topic, partition, fromPosition, toPosition, lostRecords };
      log.error(where, `${explanations[reason]}; at least ${lostRecords} records were lost unread`);
    }
    await clickhouse.insert(
      'topic_breaks',
      breaks.map(({ topic, partition, reason, fromPosition, toPosition, lostRecords }) => ({
        service,
        topic,
        partition,
        reason,
        from_position: fromPosition,
        to_position: toPosition,
        lost_records: lostRecords,
      })),
    );
  }

  async function activeHold(): Promise<string | null> {
    holdAskedAtMs = Date.now();
    const [hold] = await clickhouse.select<{ id: string }>(
      'SELECT id FROM rebuild_holds FINAL WHERE held_until > now64(3) ORDER BY id LIMIT 1',
    );
    return hold?.id ?? null;
  }

  return {
    /**
     * Where to read the partitions from. Waits while a topic is missing or a rebuild holds the service, and tells the rebuild so: what
     * was in memory must be forgotten before.
     * @param isWanted false ends the wait: nobody needs the answer any more
     */
    async begin(
      assigned: readonly Partition[],
      isWanted: () => boolean,
    ): Promise<(Partition & PartitionStart)[]> {
      while (isWanted()) {
        const hold = await activeHold();
        const starts = await findStarts(assigned);
        if (starts === null) {
          await pause(pollMs);
          continue;
        }
        await saveBreaks(
          starts.flatMap(start => (start.break ? [{ ...start, ...start.break }] : [])),
        );
        // With its break the position is stored at once: the old incarnation is over for every replica.
        const positions = starts.map(({ durable, ...start }) => ({ ...start, position: durable }));
        await savePositions(positions, hold ?? '');
        if (hold === null) return starts;
        log.info({ rebuild: hold }, 'paused by a rebuild');
        while (isWanted() && (await activeHold()) === hold) await pause(pollMs);
      }
      return [];
    },

    /**
     * Whether the topics are still those that `begin` saw, and no rebuild wants a pause. A topic that is gone is not another one yet.
     * A rebuild waits until whoever has the partitions pauses, so an answer of a moment ago will do. A member that has lost them without
     * knowing was still for longer, and asks.
     */
    async areCurrent(): Promise<boolean> {
      const holdIsKnown = Date.now() - holdAskedAtMs < holdIsKnownMs;
      const [idsNow, hold] = await Promise.all([
        topicIds.of(topics),
        holdIsKnown ? null : activeHold(),
      ]);
      return hold === null && [...idsNow].every(([topic, id]) => ids.get(topic) === id);
    },

    async missingTopics(): Promise<string[]> {
      const existing = await withAdmin(admin => admin.listTopics());
      return topics.filter(topic => !existing.includes(topic));
    },

    save: (partitions: readonly ReadPartition[]) => savePositions(partitions, ''),

    /** Offset of the first record that is still there; null when the topic is missing. */
    async lowOffset({ topic, partition }: Partition): Promise<number | null> {
      const offsets = await nullIfPassing(withAdmin(admin => admin.fetchTopicOffsets(topic)));
      const found = offsets?.find(found => found.partition === partition);
      return found ? Number(found.low) : null;
    },
  };
}

/** A topic may be deleted between any two requests. */
async function nullIfPassing<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (isPassingKafkaError(error)) return null;
    throw error;
  }
}

const explanations = {
  recreated:
    'the topic was deleted and created again: its records are counted beside those of the topic before',
  truncated:
    'Kafka has lost records that were counted, or was restored: what it gets from now on is counted beside them',
  deleted:
    'Kafka has deleted records before they were read: the topic is kept too short, or the service was away too long',
};

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { committedEnds } from '../kafka/committedEnds.ts';
import { isTransientKafkaError } from '../kafka/isTransientKafkaError.ts';
import type { Kafka, KafkaAdmin } from '../kafka/kafka.ts';
import type { TopicIds } from '../kafka/topicIds.ts';
import type { ServiceMetrics } from './metrics.ts';
import {
  type BreakReason,
  type Partition,
  type PartitionStart,
  partitionKey,
  partitionStart,
  type TopicBreak,
} from './partitionStart.ts';
import type { PositionStore, ReadPartition } from './positionStore.ts';

interface FoundStart extends Partition, PartitionStart {
  /** Position of the record that Kafka will write next. */
  end: number;
  /** Position before which all records are durable, at least the stored one. */
  durable: number;
  committed: number | null;
}

/** Where reading begins, and what the consumer group has committed. */
export type FoundPartitionStart = Partition & PartitionStart & { committed: number | null };

export type FoundBreak = Partition & TopicBreak;

export interface ReadPositionsOptions {
  groupId: string;
  topics: readonly string[];
  kafka: Kafka;
  topicIds: TopicIds;
  store: PositionStore;
  log: Logger;
  metrics: ServiceMetrics;
  /**
   * Repairs what a break does to the data derived from the topic. Called before the break is
   * stored.
   */
  onBreaks: (breaks: readonly FoundBreak[]) => Promise<void>;
}

const pollMs = 200;
/** Time for which the answer about a rebuild's hold is reused. Shorter than any session timeout. */
const holdIsKnownMs = 1_000;

/**
 * Tracks how far a service has read its topics, in ClickHouse beside what it made of them. Notices
 * when a topic is no longer the one that was read, and when a rebuild wants the service to pause.
 *
 * Invariant: `#ids` are the topics of the present assignment, and only `begin` changes them, so
 * that a topic that was recreated since is recognised.
 */
export class ReadPositions {
  readonly #groupId: string;
  readonly #topics: readonly string[];
  readonly #kafka: Kafka;
  readonly #topicIds: TopicIds;
  readonly #store: PositionStore;
  readonly #log: Logger;
  readonly #metrics: ServiceMetrics;
  readonly #onBreaks: ReadPositionsOptions['onBreaks'];
  /** Ids of the topics when the reading of the present assignment began. */
  #ids = new Map<string, string>();
  #holdAskedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReadPositionsOptions) {
    this.#groupId = options.groupId;
    this.#topics = options.topics;
    this.#kafka = options.kafka;
    this.#topicIds = options.topicIds;
    this.#store = options.store;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#onBreaks = options.onBreaks;
  }

  /**
   * Returns where to read the partitions from. Waits while a topic is missing or a rebuild holds
   * the service, and acknowledges the hold, so the caller must have forgotten what was in memory.
   * @param isWanted ends the wait, with an empty answer, when it returns false
   */
  async begin(
    assigned: readonly Partition[],
    isWanted: () => boolean,
  ): Promise<FoundPartitionStart[]> {
    while (isWanted()) {
      const hold = await this.#activeHold();
      const starts = await this.#findStarts(assigned);
      if (starts === null) {
        await pause(pollMs);
        continue;
      }
      await this.#saveBreaks(
        starts.flatMap(start => (start.break ? [{ ...start, ...start.break }] : [])),
      );
      // The position is stored at once with its break: the old incarnation is over for every
      // replica.
      const positions = starts.map(({ durable, ...start }) => ({ ...start, position: durable }));
      await this.#savePositions(positions, hold ?? '');
      if (hold === null) return starts;
      this.#log.info({ rebuild: hold }, 'paused by a rebuild');
      while (isWanted() && (await this.#activeHold()) === hold) await pause(pollMs);
    }
    return [];
  }

  /**
   * Returns whether the topics are still those that `begin` saw, and no rebuild wants a pause. A
   * topic that is missing counts as the same topic until it has another id.
   *
   * The answer about the hold may be a moment old, because a rebuild waits until the owner of every
   * partition has paused. A member that lost its partitions without noticing was silent for longer
   * than that moment, so it asks anew.
   */
  async areCurrent(): Promise<boolean> {
    const holdIsKnown = performance.now() - this.#holdAskedAtMs < holdIsKnownMs;
    const [idsNow, hold] = await Promise.all([
      this.#topicIds.of(this.#topics),
      holdIsKnown ? null : this.#activeHold(),
    ]);
    return hold === null && [...idsNow].every(([topic, id]) => this.#ids.get(topic) === id);
  }

  async missingTopics(): Promise<string[]> {
    const existing = await withAdmin(this.#kafka, admin => admin.listTopics());
    return this.#topics.filter(topic => !existing.includes(topic));
  }

  async save(partitions: readonly ReadPartition[]): Promise<void> {
    await this.#savePositions(partitions, '');
  }

  /**
   * Returns the offset of the first record that Kafka still has, or null when the topic is missing.
   */
  async lowOffset({ topic, partition }: Partition): Promise<number | null> {
    const offsets = await nullIfTransient(
      withAdmin(this.#kafka, admin => admin.fetchTopicOffsets(topic)),
    );
    const found = offsets?.find(found => found.partition === partition);
    return found ? Number(found.low) : null;
  }

  /**
   * Returns the offsets behind the last records of all partitions that can be read now, by
   * `partitionKey`.
   * @throws when Kafka does not answer the first attempt
   */
  async ends(topics: readonly string[]): Promise<Map<string, number>> {
    const ends = await committedEnds(this.#kafka, topics);
    return new Map(ends.map(end => [partitionKey(end), end.offset]));
  }

  /** Returns null while a topic is missing. */
  async #findStarts(assigned: readonly Partition[]): Promise<FoundStart[] | null> {
    this.#ids = await this.#topicIds.of(this.#topics);
    if (this.#topics.some(topic => !this.#ids.has(topic))) return null;
    return nullIfTransient(withAdmin(this.#kafka, admin => this.#startsOf(admin, assigned)));
  }

  /** Returns null when a topic was created again with fewer partitions. */
  async #startsOf(admin: KafkaAdmin, assigned: readonly Partition[]): Promise<FoundStart[] | null> {
    const stored = await this.#store.positions(this.#topics);
    const committed = await this.#committedOffsets(admin);
    const starts: FoundStart[] = [];
    for (const [topic, partitions] of Map.groupBy(assigned, partition => partition.topic)) {
      const ends = new Map(
        (await admin.fetchTopicOffsets(topic)).map(found => [found.partition, found]),
      );
      for (const { partition } of partitions) {
        const found = ends.get(partition);
        if (!found) return null;
        const key = partitionKey({ topic, partition });
        const log = {
          topicId: this.#ids.get(topic)!,
          low: Number(found.low),
          end: Number(found.high),
          committed: committed.get(key) ?? null,
        };
        const start = partitionStart(log, stored.get(key) ?? null);
        const durable = Math.max(start.base + start.offset, stored.get(key)?.position ?? 0);
        const { committed: committedOffset } = log;
        const end = start.base + log.end;
        starts.push({ topic, partition, end, durable, committed: committedOffset, ...start });
      }
    }
    return starts;
  }

  async #committedOffsets(admin: KafkaAdmin): Promise<Map<string, number>> {
    const committed = new Map<string, number>();
    for (const { topic, partitions } of await admin.fetchOffsets({
      groupId: this.#groupId,
      topics: [...this.#topics],
    })) {
      for (const { partition, offset } of partitions)
        if (Number(offset) >= 0) committed.set(partitionKey({ topic, partition }), Number(offset));
    }
    return committed;
  }

  async #savePositions(partitions: readonly ReadPartition[], hold: string): Promise<void> {
    await this.#store.savePositions(
      partitions.map(one => ({ ...one, topicId: this.#ids.get(one.topic)! })),
      hold,
    );
  }

  async #saveBreaks(breaks: readonly FoundBreak[]): Promise<void> {
    if (breaks.length === 0) return;
    await this.#onBreaks(breaks);
    for (const { topic, partition, reason, fromPosition, toPosition, lostRecords } of breaks) {
      this.#metrics.topicBreaks.inc({ topic, reason });
      this.#metrics.lostRecords.inc({ topic }, lostRecords);
      this.#log.error(
        { topic, partition, fromPosition, toPosition, lostRecords },
        `${explanations[reason]}; at least ${lostRecords} records were lost unread`,
      );
    }
    await this.#store.saveBreaks(breaks);
  }

  async #activeHold(): Promise<string | null> {
    this.#holdAskedAtMs = performance.now();
    return this.#store.activeHold();
  }
}

/**
 * Gives `use` an admin client of its own, because what a client knows of topics and partitions may
 * be minutes old.
 */
async function withAdmin<T>(kafka: Kafka, use: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Returns null for a transient error, because a topic may be deleted between any two requests. */
async function nullIfTransient<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (isTransientKafkaError(error)) return null;
    throw error;
  }
}

const explanations: Record<BreakReason, string> = {
  recreated:
    'the topic was deleted and created again: its records are counted beside those of the topic before',
  truncated:
    'Kafka has lost records that were counted, or was restored: what it gets from now on is counted beside them',
  deleted:
    'Kafka has deleted records before they were read: the topic is kept too short, or the service was away too long',
};

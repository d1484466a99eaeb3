import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import type { Logger } from 'pino';
import { isTransientKafkaError } from '../kafka/isTransientKafkaError.ts';
import type { Kafka, KafkaConsumer, KafkaRecord } from '../kafka/kafka.ts';
import { kafkaRecord } from '../kafka/kafkaRecord.ts';
import kafkajs from '../kafka/protocol/kafkajs.ts';
import { maxUnflushedRecords, nextFlushAtMs } from './flushSchedule.ts';
import { LagWatch } from './lagWatch.ts';
import type { ServiceMetrics } from './metrics.ts';
import { type Partition, partitionKey } from './partitionStart.ts';
import type { ReadPartition } from './positionStore.ts';
import type { ReadPositions } from './readPositions.ts';

/**
 * What a service does with records. The consumer is the only caller and never calls two methods at
 * once.
 */
export interface BatchHandler {
  /**
   * Forgets everything held in memory. Records will be delivered again from the committed offsets.
   */
  reset(): void;
  /**
   * Takes records of one partition in their order. May end with an AbortError when the service
   * stops; the records will be delivered again.
   * @param mayStore to be asked before anything is made durable in here. True: this member still
   * owns its partitions, the topics were not recreated, and no rebuild has asked for a pause. (A
   * topic that is recreated later makes no difference: these records were fetched before and keep
   * their positions. A pause that a rebuild relies on is acknowledged in `BatchConsumer.#begin`
   * only, never while records are taken.) False: do not write; what is in memory will be forgotten
   * before the next flush.
   */
  take(records: KafkaRecord[], mayStore: () => Promise<boolean>): Promise<void>;
  /** Makes everything durable that was taken. Afterwards the consumer commits the offsets. */
  flush(): Promise<void>;
  /**
   * Returns whether somebody waits for what was taken, so that it should not wait for the next
   * ordinary flush.
   */
  isUrgent?(): boolean;
  /**
   * Replaces the limit `maxUnflushedRecords`, for a handler that itself keeps what it holds of them
   * small.
   */
  maxUnflushedRecords?: number;
  /**
   * Called about every second, for work that waits for the wall clock instead of records.
   * @param assigned partitions of this member, for work that one member does for all
   */
  tick?(assigned: readonly Partition[]): Promise<void>;
  /**
   * Time that it may work without asking ClickHouse before the loop counts as stalled, beside the
   * usual (see `LoopHealth`).
   */
  longWorkMs?: number;
}

export interface BatchConsumerOptions {
  kafka: Kafka;
  groupId: string;
  topics: string[];
  handler: BatchHandler;
  /** Called with records before the handler takes them. */
  onRecords?: (records: readonly KafkaRecord[]) => void;
  positions: ReadPositions;
  flushIntervalMs: number;
  sessionTimeoutMs: number;
  log: Logger;
  metrics: ServiceMetrics;
  /**
   * Called with an error that must end the process. What was taken since the last commit will be
   * delivered again.
   */
  onCrash: (error: unknown) => void;
}

/** A batch as kafkajs delivers it; its types leave out the offset that it asked for. */
type Batch = EachBatchPayload['batch'] & { fetchedOffset: string };

type PartitionOffset = Partition & { offset: string };

/** What kafkajs tells of a batch when it was handled or passed over. */
interface BatchEnd extends Partition {
  batchSize: number;
  /** null when it has no records behind the offset that was asked for. */
  firstOffset: string | null;
  lastOffset: string;
}

interface PartitionReading extends Partition {
  /** Position of offset 0. */
  base: number;
  /** Offset of the record that is expected next. */
  next: number;
  /** Records between the last batch and the end of the partition. */
  lag: number;
}

const tickMs = 1_000;
/**
 * Pause between attempts to read topics that are missing, or to join a group whose coordinator is
 * away.
 */
const awayPauseMs = 1_000;
/** A rebalance ends within a minute. */
const unassignedToldAfterMs = 90_000;

/**
 * Reads topics for a handler, and writes before it commits: records are taken, made durable at most
 * one flush wait later (see `nextFlushAtMs`), and only then are their offsets committed. The offset
 * that a handler sees is a position (see partitionStart.ts), which goes on where a topic begins
 * again.
 *
 * Invariant: the loop is the only mutator of the handler's state and of the state of the loop. It
 * is a queue of turns, and a turn begins when the one before has ended. Timers, rebalances and
 * `stop` only set signals and queue turns.
 */
export class BatchConsumer {
  readonly #topics: string[];
  readonly #handler: BatchHandler;
  readonly #onRecords: BatchConsumerOptions['onRecords'];
  readonly #positions: ReadPositions;
  readonly #flushIntervalMs: number;
  readonly #heartbeatMs: number;
  readonly #log: Logger;
  readonly #metrics: ServiceMetrics;
  readonly #onCrash: (error: unknown) => void;
  readonly #consumer: KafkaConsumer;
  readonly #joined = Promise.withResolvers<void>();
  readonly #lagWatch: LagWatch;

  // === Signals: set at any time, read by the loop ===

  /**
   * Grows when partitions are assigned or lost. What belongs to an earlier generation must not be
   * written.
   */
  #generation = 0;
  /** When the generation last changed. This and other times here are of a clock that nobody sets. */
  #generationAtMs = performance.now();
  #assigned: Partition[] = [];
  #missingTopics: readonly string[] = [];
  /** Set by `stop`: whatever waits gives up, and the flush that `stop` queues is the last one. */
  #stopWanted = false;
  /** Set when nothing is taken any more: after the last flush, or after a crash. */
  #stopped = false;

  // === State of the loop: changed in turns only ===

  #turn: Promise<void> = Promise.resolve();
  /** Turns that have not ended. */
  #openTurns = 0;
  #tickIsQueued = false;
  /** Generation that the handler's state and the fields below belong to. */
  #generationOfState = 0;
  readonly #reading = new Map<string, PartitionReading>();
  /** Partitions of which records have been taken since the last flush. */
  readonly #uncommitted = new Map<string, ReadPartition & { offset: string }>();
  /** Offsets of durable records that Kafka has not taken as committed, by partition. */
  readonly #uncommittedOffsets = new Map<string, PartitionOffset>();
  #flushedAtMs = performance.now();
  #lastFlushMs = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushTimerAtMs = Number.POSITIVE_INFINITY;
  #tickTimer: NodeJS.Timeout | undefined;

  constructor(options: BatchConsumerOptions) {
    this.#topics = options.topics;
    this.#handler = options.handler;
    this.#onRecords = options.onRecords;
    this.#positions = options.positions;
    this.#flushIntervalMs = options.flushIntervalMs;
    this.#heartbeatMs = options.sessionTimeoutMs / 4;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#onCrash = options.onCrash;
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: 60_000,
      heartbeatInterval: this.#heartbeatMs,
      metadataMaxAge: 30_000,
      // The broker answers at once when there are records; this bounds how long a stop waits when
      // there are none.
      maxWaitTimeInMs: 500,
      maxBytesPerPartition: 4 * 1024 * 1024,
      // A missing topic must be noticed, not created with the broker's defaults.
      allowAutoTopicCreation: false,
      // `#consume` restarts the consumer where that helps, because kafkajs does not for every
      // transient error.
      retry: { initialRetryTime: 100, retries: 12, restartOnFailure: async () => false },
    });
    this.#lagWatch = new LagWatch({
      reading: () => [...this.#reading.values()],
      ends: topics => this.#positions.ends(topics),
      isBusy: () => this.#openTurns > 0 || !this.#stateIsCurrent(),
      onStuck: () => this.#crashOnError(this.#inTurn(() => this.#begin())),
      log: options.log,
      metrics: options.metrics,
    });
  }

  // === Life ===

  /** Begins to consume. Resolves when partitions have been assigned for the first time. */
  async start(): Promise<void> {
    const { GROUP_JOIN, STOP, CRASH, END_BATCH_PROCESS } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload }) => this.#onAssignment(payload));
    this.#consumer.on(END_BATCH_PROCESS, ({ payload }) => this.#onBatchEnd(payload));
    // What is in memory has no partitions any more, until the consumer has joined the group again.
    this.#consumer.on(STOP, () => this.#beginGeneration());
    this.#consumer.on(CRASH, ({ payload: { error } }) => {
      if (this.#stopped) return;
      if (isTransientKafkaError(error)) this.#crashOnError(this.#consumeAgain(error));
      else this.#crash(error);
    });
    this.#crashOnError(this.#consume());
    this.#tickTimer = setInterval(() => this.#queueTick(), tickMs);
    this.#lagWatch.start();
    await this.#joined.promise;
  }

  /** Topics that it waits for because Kafka does not have them. */
  get missingTopics(): readonly string[] {
    return this.#missingTopics;
  }

  /** Why nothing is read although the loop does nothing, or null. */
  get stuckReason(): string | null {
    const unassignedMs = this.#stateIsCurrent() ? 0 : performance.now() - this.#generationAtMs;
    if (unassignedMs > unassignedToldAfterMs && this.#openTurns === 0)
      return `no partitions have been assigned for ${Math.floor(unassignedMs / 1000)} s`;
    return this.#lagWatch.reason();
  }

  /** Flushes and commits what was taken, and leaves the group. */
  async stop(): Promise<void> {
    this.#stopWanted = true;
    await this.#inTurn(() => this.#flushAndCommit()).catch(error => {
      // Work that was broken off is not committed: it begins again elsewhere.
      if (!isAbort(error)) throw error;
    });
    this.#stopped = true;
    this.#lagWatch.stop();
    clearInterval(this.#tickTimer);
    clearTimeout(this.#flushTimer);
    await this.#consumer.disconnect();
  }

  #crash(error: unknown): void {
    this.#stopped = true;
    this.#lagWatch.stop();
    clearInterval(this.#tickTimer);
    this.#onCrash(error);
  }

  #crashOnError(work: Promise<void>): void {
    work.catch(error => this.#crash(error));
  }

  // === Connection ===

  async #consume(): Promise<void> {
    try {
      await this.#untilTopicsExist();
      if (this.#stopWanted) return;
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: this.#topics, fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: payload => this.#onBatch(payload),
      });
    } catch (error) {
      // A topic may be deleted again at any time.
      if (!isTransientKafkaError(error)) throw error;
      await this.#consumeAgain(error);
    }
  }

  async #consumeAgain(error: unknown): Promise<void> {
    this.#log.warn({ err: error }, 'the consumer stopped; it starts again');
    await pause(awayPauseMs);
    await this.#consume();
  }

  async #untilTopicsExist(): Promise<void> {
    for (;;) {
      this.#missingTopics = await this.#positions.missingTopics();
      if (this.#missingTopics.length === 0 || this.#stopWanted) return;
      this.#log.warn(
        `waiting for ${this.#missingTopics.join(', ')}: no such topic; \`driftloop topics\` creates it`,
      );
      await pause(awayPauseMs);
    }
  }

  #beginGeneration(): void {
    this.#generation++;
    this.#generationAtMs = performance.now();
  }

  #onAssignment({ memberAssignment }: ConsumerGroupJoinEvent['payload']): void {
    this.#beginGeneration();
    this.#metrics.rebalances.inc();
    // The lag of partitions that went to other members is reported by them.
    this.#metrics.lag.reset();
    this.#assigned = Object.entries(memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map(partition => ({ topic, partition })),
    );
    this.#crashOnError(this.#inTurn(() => this.#begin()));
    this.#log.info({ partitions: memberAssignment }, 'joined the consumer group');
    this.#joined.resolve();
  }

  async #onBatch({ batch, resolveOffset, heartbeat, isStale }: EachBatchPayload): Promise<void> {
    const heartbeats = setInterval(
      () => heartbeat().catch(error => this.#log.warn({ err: error }, 'heartbeat failed')),
      this.#heartbeatMs,
    );
    try {
      let taken = false;
      await this.#inTurn(async () => {
        // What is passed over here is delivered again, from where the present generation begins.
        if (this.#stopped || !this.#stateIsCurrent() || isStale()) return;
        taken = await this.#takeBatch(batch as Batch);
      });
      if (taken && !this.#stopped) resolveOffset(batch.lastOffset());
    } catch (error) {
      this.#crash(error);
      throw new kafkajs.KafkaJSNonRetriableError(
        error instanceof Error ? error.message : String(error),
      );
    } finally {
      clearInterval(heartbeats);
    }
  }

  /**
   * Notes records that kafkajs itself has passed over, because their transaction was aborted or they
   * are its markers. Without that they would count as lag until the next record comes.
   */
  #onBatchEnd({ topic, partition, batchSize, firstOffset, lastOffset }: BatchEnd): void {
    if (batchSize > 0 || firstOffset === null || this.#stopped) return;
    const turn = this.#inTurn(async () => {
      const reading = this.#reading.get(partitionKey({ topic, partition }));
      if (!this.#stateIsCurrent() || reading?.next !== Number(firstOffset)) return;
      const next = Number(lastOffset) + 1;
      const lag = Math.max(0, reading.lag - (next - reading.next));
      this.#noteRead(reading, next, lag);
      await this.#flushOrSchedule(false);
    });
    this.#crashOnError(turn);
  }

  // === Turns of the loop ===

  #inTurn(action: () => Promise<void>): Promise<void> {
    this.#openTurns++;
    this.#turn = this.#turn
      .then(async () => {
        await action();
        this.#metrics.loop.progressed();
        this.#metrics.waits.clear();
      })
      .finally(() => {
        this.#openTurns--;
      });
    return this.#turn;
  }

  #stateIsCurrent(): boolean {
    return this.#generationOfState === this.#generation;
  }

  /**
   * Forgets what is in memory, and decides anew where each partition goes on. Needed on joining a
   * group, where kafkajs restarts every partition at its committed offset, so that what is in
   * memory would be counted twice; and whenever a topic turns out to be another one than before.
   */
  async #begin(): Promise<void> {
    const beginning = this.#generation;
    this.#handler.reset();
    this.#uncommitted.clear();
    this.#uncommittedOffsets.clear();
    this.#reading.clear();
    this.#metrics.unflushed.clear();
    const isWanted = () => beginning === this.#generation && !this.#stopWanted;
    const starts = await this.#positions.begin(this.#assigned, isWanted);
    if (!isWanted()) return;
    for (const { topic, partition, base, offset, committed } of starts) {
      const key = partitionKey({ topic, partition });
      this.#reading.set(key, { topic, partition, base, next: offset, lag: 0 });
      this.#consumer.seek({ topic, partition, offset: String(offset) });
      // The records before are durable, but their commit has failed, or Kafka has lost it.
      if (offset > (committed ?? 0))
        this.#uncommittedOffsets.set(key, { topic, partition, offset: String(offset) });
    }
    this.#generationOfState = beginning;
  }

  /** Returns whether the batch was taken. If not, the partitions begin again where they must. */
  async #takeBatch(batch: Batch): Promise<boolean> {
    const { topic, partition } = batch;
    const reading = this.#reading.get(partitionKey(batch));
    if (!reading) return false; // of a partition that this member has lost
    const { base, next: expected } = reading;
    if (!(await this.#continuesAt(batch, expected))) {
      await this.#begin();
      return false;
    }
    const records = batch.messages.map(message => kafkaRecord(batch, message, base));
    this.#metrics.unflushed.add(records);
    this.#onRecords?.(records);
    await this.#handler.take(records, this.#mayStore);

    const next = Number(batch.lastOffset()) + 1;
    const lag = Math.max(0, Number(batch.highWatermark) - next);
    this.#noteRead({ topic, partition, base }, next, lag);
    this.#metrics.records.inc({ topic }, records.length);
    await this.#flushOrSchedule(lag === 0);
    return true;
  }

  #noteRead(
    { topic, partition, base }: Partition & { base: number },
    next: number,
    lag: number,
  ): void {
    const key = partitionKey({ topic, partition });
    const end = base + next + lag;
    this.#reading.set(key, { topic, partition, base, next, lag });
    this.#uncommitted.set(key, {
      ...{ topic, partition, position: base + next, end },
      offset: String(next),
    });
    this.#metrics.lag.set({ topic, partition }, lag);
  }

  /**
   * Returns whether a batch goes on where the last one ended. Kafka may step over offsets
   * (transaction markers), but not back; and offsets must not be skipped because their records were
   * deleted, where kafkajs silently goes on with the first record that is left.
   */
  async #continuesAt(batch: Batch, expected: number): Promise<boolean> {
    const fetchedOffset = Number(batch.fetchedOffset);
    if (fetchedOffset === expected) return true;
    if (fetchedOffset < expected) return false;
    const low = await this.#positions.lowOffset(batch);
    return low !== null && low <= expected;
  }

  readonly #mayStore = async (): Promise<boolean> =>
    this.#stateIsCurrent() && this.#positions.areCurrent();

  /**
   * @param isCaughtUp in a backlog nobody waits for one record in particular, and whole batches get
   * through it sooner
   */
  async #flushOrSchedule(isCaughtUp: boolean): Promise<void> {
    const { unflushed } = this.#metrics;
    let backlogRecords = 0;
    for (const { lag } of this.#reading.values()) backlogRecords += lag;
    const nowMs = performance.now();
    const flushAtMs = nextFlushAtMs({
      nowMs,
      flushedAtMs: this.#flushedAtMs,
      lastFlushMs: this.#lastFlushMs,
      flushIntervalMs: this.#flushIntervalMs,
      unflushed: { records: unflushed.records, bytes: unflushed.bytes },
      maxRecords: this.#handler.maxUnflushedRecords ?? maxUnflushedRecords,
      backlogRecords,
      isUrgent: isCaughtUp && (this.#handler.isUrgent?.() ?? false),
    });
    if (flushAtMs <= nowMs) await this.#flushAndCommit();
    else this.#scheduleFlush(flushAtMs);
  }

  /** Keeps the earliest time that was asked for. */
  #scheduleFlush(atMs: number): void {
    if (atMs >= this.#flushTimerAtMs) return;
    clearTimeout(this.#flushTimer);
    this.#flushTimerAtMs = atMs;
    this.#flushTimer = setTimeout(
      () => this.#crashOnError(this.#inTurn(() => this.#flushAndCommit())),
      atMs - performance.now(),
    );
  }

  async #flushAndCommit(): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#flushTimerAtMs = Number.POSITIVE_INFINITY;
    if (!this.#stateIsCurrent() || this.#uncommitted.size === 0) return;
    if (!(await this.#positions.areCurrent())) return this.#begin();
    const stopTimer = this.#metrics.flushSeconds.startTimer();
    await this.#handler.flush();
    this.#lastFlushMs = stopTimer() * 1_000;
    this.#flushedAtMs = performance.now();
    this.#metrics.unflushed.clear();
    const read = [...this.#uncommitted.values()];
    this.#uncommitted.clear();
    await this.#positions.save(read);
    for (const { topic, partition, offset } of read) {
      const key = partitionKey({ topic, partition });
      this.#uncommittedOffsets.set(key, { topic, partition, offset });
    }
    await this.#commit();
  }

  /**
   * Commits what is durable. What Kafka does not take is tried again with the next tick: a record
   * that is the only one of its partition would otherwise count as lag until another one comes.
   */
  async #commit(): Promise<void> {
    const offsets = [...this.#uncommittedOffsets.values()];
    if (!this.#stateIsCurrent() || offsets.length === 0) return;
    try {
      await this.#consumer.commitOffsets(offsets);
      this.#uncommittedOffsets.clear();
    } catch (error) {
      // Another member owns the partitions now. It takes the same records again and writes the same
      // rows.
      this.#metrics.commitFailures.inc();
      this.#log.warn({ err: error }, 'offsets not committed');
    }
  }

  /**
   * Queues a tick unless one waits already, so that a long turn does not leave a heap of them
   * behind.
   */
  #queueTick(): void {
    if (this.#tickIsQueued) return;
    this.#tickIsQueued = true;
    const turn = this.#inTurn(async () => {
      this.#tickIsQueued = false;
      await this.#tick();
    });
    this.#crashOnError(turn);
  }

  async #tick(): Promise<void> {
    if (this.#stopped || !this.#stateIsCurrent()) return;
    if (this.#uncommitted.size === 0 && !(await this.#positions.areCurrent())) return this.#begin();
    if (this.#uncommitted.size === 0) await this.#commit();
    await this.#handler.tick?.(this.#assigned);
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

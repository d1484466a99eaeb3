import { setTimeout as pause } from 'node:timers/promises';
import kafkajs, { type EachBatchPayload } from 'kafkajs';
import type { Logger } from 'pino';
import { isPassingKafkaError } from '../kafka/isPassingKafkaError.ts';
import type { Kafka, KafkaRecord } from '../kafka/kafka.ts';
import type { ServiceMetrics } from './metrics.ts';
import type { Partition, ReadPartition, ReadPositions } from './readPositions.ts';

/** What a service does with records. The loop below is the only caller, and never calls two at once. */
export interface BatchHandler {
  /** Forget everything held in memory: records will be delivered again from the committed offsets. */
  reset(): void;
  /**
   * Takes records of one partition in their order. May end with an AbortError when the service stops: they will be delivered again.
   * @param mayStore to be asked before anything is made durable in here. Yes: all that was taken has the positions that it was given (it was
   * fetched before the question, so a topic that begins again later makes no difference), and no rebuild wants a pause. A pause that a
   * rebuild relies on is acknowledged in the loop's `begin`, never while records are taken; only a member that has lost its partitions
   * without knowing could write during it, and it asks. No: what is in memory will be forgotten before the next flush.
   */
  take(records: KafkaRecord[], mayStore: () => Promise<boolean>): Promise<void>;
  /** Makes durable all that was taken; afterwards the loop commits the offsets. */
  flush(): Promise<void>;
  /** Asked after each take: whether somebody waits for what was taken, so that it should not wait for the next ordinary flush. */
  isUrgent?(): boolean;
  /** Instead of `largestUnflushedRecords`, for a handler that keeps what it holds of them small by itself. */
  mostUnflushedRecords?: number;
  /** Called about every second, for work that waits on the wall clock instead of records. */
  tick?(): Promise<void>;
}

export interface BatchConsumerOptions {
  kafka: Kafka;
  groupId: string;
  topics: string[];
  handler: BatchHandler;
  positions: ReadPositions;
  flushIntervalMs: number;
  sessionTimeoutMs: number;
  log: Logger;
  metrics: ServiceMetrics;
  /** An error that must end the process: what was taken since the last commit is delivered again to whoever comes next. */
  onCrash: (error: unknown) => void;
}

/** So much is taken before a flush, whatever the time … */
export const largestUnflushedRecords = 100_000;
export const largestUnflushedBytes = 64 * 1024 * 1024;
/** … and so many intervals are waited while a backlog holds more than that: few large inserts cost a third of many small ones. */
const backlogFlushIntervals = 5;
/** There, between flushes so many times the last one's duration passes, but no longer than this: many models make flushes long, and shall not make them all there is. */
const flushPauses = 4;
const longestFlushWaitMs = 30_000;
const tickMs = 1_000;
/** What is urgent waits so long for what comes with it … */
const urgentFlushMs = 50;
/** … and until so long after the last flush: a stream of urgent records does not turn into a stream of small inserts. */
const urgentFlushGapMs = 250;
/** Between attempts to read topics that are missing, or to join a group whose coordinator is away. */
const awayPauseMs = 1_000;

/**
 * Write, then commit: records are taken, made durable at most `flushIntervalMs` later, and only then are their offsets committed.
 * The offset that a handler sees is a position (partitionStart.ts): it goes on where a topic begins again.
 * The invariant: this loop is the only mutator of the handler's state. Timers and rebalances only signal it.
 */
export function startBatchConsumer(options: BatchConsumerOptions) {
  const {
    kafka,
    groupId,
    topics,
    handler,
    positions,
    flushIntervalMs,
    sessionTimeoutMs,
    log,
    metrics,
    onCrash,
  } = options;
  const heartbeatMs = sessionTimeoutMs / 4;
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: 60_000,
    heartbeatInterval: heartbeatMs,
    metadataMaxAge: 30_000,
    // The broker answers at once when there are records; this bounds how long a stop waits when there are none.
    maxWaitTimeInMs: 500,
    maxBytesPerPartition: 4 * 1024 * 1024,
    // A topic that is missing shall be missed, not made with the broker's defaults.
    allowAutoTopicCreation: false,
    // The service starts the consumer again where that helps: kafkajs does not for every error that passes.
    retry: { initialRetryTime: 100, retries: 12, restartOnFailure: async () => false },
  });
  let generation = 0;
  let generationOfState = 0;
  /** By topic and partition, as of its last batch. */
  const lags = new Map<string, number>();
  let flushedAtMs = Date.now();
  let lastFlushMs = 0;
  let flushTimer: NodeJS.Timeout | undefined;
  let flushDueAtMs = Number.POSITIVE_INFINITY;
  let stopping = false;
  let stopWanted = false;
  let missingTopics: string[] = [];
  let turn: Promise<void> = Promise.resolve();
  let ticking: NodeJS.Timeout | undefined;
  let assigned: Partition[] = [];
  /** Of each assigned partition, the position of offset 0, and the offset that Kafka is expected to go on with. */
  const reading = new Map<string, { base: number; next: number }>();
  const nextOffsets = new Map<string, ReadPartition & { offset: string }>();

  function inTurn(action: () => Promise<void>): Promise<void> {
    turn = turn.then(action);
    return turn;
  }

  /**
   * Forgets what is in memory, and decides anew where each partition goes on. On joining a group, where kafkajs restarts every partition at
   * its committed offset, so that what is in memory would be counted twice; and whenever a topic turns out not to be what it was.
   */
  async function begin(): Promise<void> {
    const beginning = generation;
    handler.reset();
    nextOffsets.clear();
    reading.clear();
    lags.clear();
    metrics.unflushed.clear();
    const isWanted = () => beginning === generation && !stopWanted;
    const starts = await positions.begin(assigned, isWanted);
    if (!isWanted()) return;
    for (const { topic, partition, base, offset } of starts) {
      reading.set(`${topic}/${partition}`, { base, next: offset });
      consumer.seek({ topic, partition, offset: String(offset) });
    }
    generationOfState = beginning;
  }

  /**
   * Whether a batch goes on where the last one ended. Kafka may step over offsets (the marks of transactions), but not back; nor are
   * offsets skipped that have been deleted: then kafkajs has gone to the first record that is there, without a word.
   */
  async function goesOn({ topic, partition }: Partition, fetchedOffset: number): Promise<boolean> {
    const { next } = reading.get(`${topic}/${partition}`)!;
    if (fetchedOffset === next) return true;
    if (fetchedOffset < next) return false;
    const low = await positions.lowOffset({ topic, partition });
    return low !== null && low <= next;
  }

  function flushWaitMs(): number {
    let backlog = 0;
    for (const lag of lags.values()) backlog += lag;
    if (backlog <= largestUnflushedRecords) return flushIntervalMs;
    return Math.max(
      backlogFlushIntervals * flushIntervalMs,
      Math.min(longestFlushWaitMs, flushPauses * lastFlushMs),
    );
  }

  function isFlushDue(): boolean {
    const { unflushed } = metrics;
    const { mostUnflushedRecords = largestUnflushedRecords } = handler;
    const full =
      unflushed.records() >= mostUnflushedRecords || unflushed.bytes() >= largestUnflushedBytes;
    return full || Date.now() - flushedAtMs >= flushWaitMs();
  }

  async function flushAndCommit(): Promise<void> {
    clearTimeout(flushTimer);
    flushDueAtMs = Number.POSITIVE_INFINITY;
    if (generationOfState !== generation || nextOffsets.size === 0) return;
    if (!(await positions.areCurrent())) return begin();
    const stopFlushTimer = metrics.flushSeconds.startTimer();
    await handler.flush();
    lastFlushMs = stopFlushTimer() * 1_000;
    flushedAtMs = Date.now();
    metrics.unflushed.clear();
    const read = [...nextOffsets.values()];
    nextOffsets.clear();
    await positions.save(read);
    if (generationOfState !== generation) return;
    try {
      await consumer.commitOffsets(
        read.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
      );
    } catch (error) {
      // Another member owns the partitions now; it takes the same records again and writes the same rows.
      metrics.commitFailures.inc();
      log.warn({ err: error }, 'offsets not committed');
    }
  }

  async function mayStore(): Promise<boolean> {
    return generationOfState === generation && positions.areCurrent();
  }

  /** The earliest time that was asked for counts. */
  function flushAt(dueAtMs: number): void {
    if (dueAtMs >= flushDueAtMs) return;
    clearTimeout(flushTimer);
    flushDueAtMs = dueAtMs;
    flushTimer = setTimeout(() => inTurn(flushAndCommit).catch(crash), dueAtMs - Date.now());
  }

  async function tick(): Promise<void> {
    if (stopping || generationOfState !== generation) return;
    if (nextOffsets.size === 0 && !(await positions.areCurrent())) return begin();
    await handler.tick?.();
  }

  function crash(error: unknown): void {
    stopping = true;
    clearInterval(ticking);
    onCrash(error);
  }

  consumer.on(consumer.events.GROUP_JOIN, event => {
    generation++;
    metrics.rebalances.inc();
    // Partitions that went to others are their concern.
    metrics.lag.reset();
    assigned = Object.entries(event.payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map(partition => ({ topic, partition })),
    );
    inTurn(begin).catch(crash);
    log.info({ partitions: event.payload.memberAssignment }, 'joined the consumer group');
  });
  // What is in memory has no partitions any more, until the consumer has joined the group again.
  consumer.on(consumer.events.STOP, () => {
    generation++;
  });
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
    if (stopping) return;
    if (isPassingKafkaError(error)) consumeAgain(error).catch(crash);
    else crash(error);
  });
  const joined = new Promise<void>(resolve =>
    consumer.on(consumer.events.GROUP_JOIN, () => resolve()),
  );

  async function takeBatch({
    batch,
    resolveOffset,
    heartbeat,
    isStale,
  }: EachBatchPayload): Promise<void> {
    const heart = setInterval(
      () => heartbeat().catch(error => log.warn({ err: error }, 'heartbeat failed')),
      heartbeatMs,
    );
    try {
      let taken = false;
      await inTurn(async () => {
        // What is passed over here is delivered again, from where the present generation begins.
        if (stopping || generationOfState !== generation || isStale()) return;
        const { topic, partition } = batch;
        const { fetchedOffset } = batch as typeof batch & { fetchedOffset: string };
        if (!(await goesOn({ topic, partition }, Number(fetchedOffset)))) return begin();
        const { base } = reading.get(`${topic}/${partition}`)!;
        const records = batch.messages.map(message => ({
          topic,
          partition,
          offset: base + Number(message.offset),
          key: message.key,
          value: message.value,
          headers: message.headers ?? {},
          timestampMs: Number(message.timestamp),
        }));
        metrics.unflushed.add(records);
        await handler.take(records, mayStore);
        taken = true;
        const next = Number(batch.lastOffset()) + 1;
        const end = Math.max(next, Number(batch.highWatermark));
        reading.set(`${topic}/${partition}`, { base, next });
        const read = {
          topic,
          partition,
          position: base + next,
          end: base + end,
          offset: String(next),
        };
        nextOffsets.set(`${topic}/${partition}`, read);
        metrics.records.inc({ topic }, records.length);
        lags.set(`${topic}/${partition}`, end - next);
        metrics.lag.set({ topic, partition }, end - next);
        if (isFlushDue()) await flushAndCommit();
        else {
          flushAt(Date.now() + flushWaitMs());
          // In a backlog nobody waits for this record in particular: whole batches get through it sooner.
          const caughtUp = end === next;
          if (caughtUp && handler.isUrgent?.())
            flushAt(
              Math.max(
                Date.now() + urgentFlushMs,
                flushedAtMs + Math.max(urgentFlushGapMs, lastFlushMs),
              ),
            );
        }
      });
      if (taken && !stopping) resolveOffset(batch.lastOffset());
    } catch (error) {
      crash(error);
      throw new kafkajs.KafkaJSNonRetriableError(
        error instanceof Error ? error.message : String(error),
      );
    } finally {
      clearInterval(heart);
    }
  }

  async function untilTopicsExist(): Promise<void> {
    for (;;) {
      missingTopics = await positions.missingTopics();
      if (missingTopics.length === 0 || stopWanted) return;
      log.warn(
        `waiting for ${missingTopics.join(', ')}: no such topic; \`driftloop topics\` creates it`,
      );
      await pause(awayPauseMs);
    }
  }

  async function consumeAgain(error: unknown): Promise<void> {
    log.warn({ err: error }, 'the consumer stopped; it starts again');
    await pause(awayPauseMs);
    await consume();
  }

  async function consume(): Promise<void> {
    try {
      await untilTopicsExist();
      if (stopWanted) return;
      await consumer.connect();
      await consumer.subscribe({ topics, fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: takeBatch });
    } catch (error) {
      // A topic may go again at any time.
      if (!isPassingKafkaError(error)) throw error;
      await consumeAgain(error);
    }
  }

  consume().catch(crash);
  ticking = setInterval(() => inTurn(tick).catch(crash), tickMs);
  return {
    /** Resolves when the first assignment of partitions is there. */
    joined,
    /** Whether it has topics to read. */
    isReading: () => missingTopics.length === 0,
    async stop(): Promise<void> {
      stopWanted = true;
      await inTurn(flushAndCommit).catch(error => {
        // Work that was broken off is not committed: it begins again elsewhere.
        if (!isAbort(error)) throw error;
      });
      stopping = true;
      clearInterval(ticking);
      clearTimeout(flushTimer);
      await consumer.disconnect();
    },
  };
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

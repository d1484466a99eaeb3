import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { type Logger, pino } from 'pino';
import { connectSchemaRegistry, type SchemaClient } from '../avro/schemaRegistry.ts';
import { type Clickhouse, connectClickhouse } from '../clickhouse/clickhouse.ts';
import { SilentServer } from '../clickhouse/clickhouseErrors.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { readSettings, type Settings } from '../config/settings.ts';
import { connectKafka, connectProducer, type Kafka, type KafkaProducer } from '../kafka/kafka.ts';
import { kafkaMistake } from '../kafka/kafkaMistake.ts';
import { consumerGroup, type ServiceName } from '../kafka/serviceFlow.ts';
import { connectTopicIds } from '../kafka/topicIds.ts';
import { prefixed, topics } from '../kafka/topics.ts';
import { waitForClock } from '../kafka/waitForClock.ts';
import { UserError } from '../userError.ts';
import { announceWindows } from '../windows/announceWindows.ts';
import { BatchConsumer, type BatchHandler, isAbort } from './batchConsumer.ts';
import { ClockStore } from './clockStore.ts';
import { ClockWatch } from './clockWatch.ts';
import { DeadLetterSink } from './deadLetterSink.ts';
import { DeadLetterStore } from './deadLetterStore.ts';
import { healthServer } from './healthServer.ts';
import { beginCounters, createMetrics, type ServiceMetrics } from './metrics.ts';
import { NoticeSink } from './noticeSink.ts';
import { NoticeStore } from './noticeStore.ts';
import { PositionStore } from './positionStore.ts';
import { type FoundBreak, ReadPositions } from './readPositions.ts';
import { TablesStore } from './tablesStore.ts';

/** What every service is given. */
export interface ServiceContext {
  environment: Environment;
  settings: Settings;
  log: Logger;
  metrics: ServiceMetrics;
  kafka: Kafka;
  producer: KafkaProducer;
  clickhouse: Clickhouse;
  schemas: SchemaClient;
  /** The wall clock, compared with that of ClickHouse. */
  clock: Pick<ClockWatch, 'nowMs'>;
  deadLetters: DeadLetterSink;
  notices: NoticeSink;
  /** Returns the name of a topic with the prefix of this installation. */
  topic(name: string): string;
}

export interface ServiceParts {
  /** Topics that it consumes, without prefix. */
  topics: string[];
  /** Topics that it consumes beside these, by their full names. */
  otherTopics?: string[];
  handler: BatchHandler;
  /** Ends what the service started beside its consumer, such as timers. */
  stop?(): Promise<void> | void;
}

/**
 * Runs a service process: reads the environment and settings, connects, consumes, answers /live,
 * /ready and /metrics, and stops cleanly on SIGTERM. An unexpected error ends the process with exit
 * code 1; the next process starts again from the last commit.
 */
export async function runService(
  name: ServiceName,
  wire: (context: ServiceContext) => Promise<ServiceParts>,
): Promise<void> {
  // V8 would otherwise learn from windows, which stay, to allocate short-lived records in the old
  // generation as well.
  setFlagsFromString('--no-allocation-site-pretenuring');
  let log = pino({ name });
  let service: Service | null = null;
  try {
    const environment = readEnvironment();
    log = pino({
      name,
      level: environment.DRIFTLOOP_LOG_LEVEL,
      formatters: { level: label => ({ level: label }) },
    });
    service = new Service(name, environment, log);
    await service.start(wire);
  } catch (error) {
    // A service that is stopped while it starts ends in `#stop`.
    if (service?.isStopping && isAbort(error)) return;
    fail(log, error);
  }
}

function fail(log: Logger, error: unknown): void {
  const mistake = error instanceof UserError ? error.message : kafkaMistake(error);
  if (mistake !== null) log.fatal(mistake);
  else log.fatal({ err: error }, 'stopped by an unexpected error');
  // pino writes to standard output synchronously, so nothing is lost here.
  process.exit(1);
}

/** After this time at the start the log says which server is waited for. */
const toldAfterMs = 3_000;
/** Pause between two looks for tables that do not exist yet. */
const missingPauseMs = 2_000;
/** A service that stops ends after this time in which nothing has gone on. */
const maxSilentStopMs = 8_000;
const stopPollMs = 200;

/**
 * A service process and what it holds open.
 *
 * Invariant: it starts once and stops once, and what was opened last is closed first.
 */
class Service {
  readonly #name: ServiceName;
  readonly #environment: Environment;
  readonly #log: Logger;
  readonly #metrics: ServiceMetrics;
  /** Close what is open, in the order in which it was opened. */
  readonly #closers: (() => unknown)[] = [];
  #consumer: BatchConsumer | null = null;
  #clock: ClockWatch | null = null;
  #longWorkMs = 0;
  #hasPartitions = false;
  /** Aborted when the service begins to stop. */
  readonly #stopping = new AbortController();

  constructor(name: ServiceName, environment: Environment, log: Logger) {
    this.#name = name;
    this.#environment = environment;
    this.#log = log;
    this.#metrics = createMetrics(name);
  }

  async start(wire: (context: ServiceContext) => Promise<ServiceParts>): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => this.#stop(signal).catch(error => fail(this.#log, error)));
    const settings = readSettings(this.#environment.DRIFTLOOP_CONFIG);
    for (const warning of settings.warnings) this.#log.warn(warning);
    const address = await this.#listen();
    const context = await this.#connect(settings);
    const parts = await wire(context);
    const consumer = this.#createConsumer(context, parts);
    this.#consumer = consumer;
    this.#longWorkMs = parts.handler.longWorkMs ?? 0;
    this.#closers.push(() => consumer.stop());
    this.#closers.push(() => parts.stop?.());
    await consumer.start();
    this.#hasPartitions = true;
    this.#log.info({ address }, 'ready');
  }

  async #listen(): Promise<string> {
    const server = healthServer(this.#metrics.registry, () => this.#unreadyReason());
    this.#closers.push(() => server.close());
    return server.listen({
      port: this.#environment.DRIFTLOOP_HTTP_PORT,
      host: this.#environment.DRIFTLOOP_HTTP_HOST,
    });
  }

  async #connect(settings: Settings): Promise<ServiceContext> {
    const name = this.#name;
    const environment = this.#environment;
    const log = this.#log;
    const metrics = this.#metrics;
    const topic = (topicName: string) => prefixed(environment, topicName);
    const clickhouse = connectClickhouse(environment, {
      retry: true,
      signal: this.#stopping.signal,
      onAnswer: () => {
        metrics.loop.progressed();
        metrics.waits.answered('ClickHouse');
      },
      onRetry: (error, attempt) => {
        metrics.retries.inc();
        metrics.waits.failed('ClickHouse', error, silentMs(error));
        if (attempt === 1) metrics.clickhouseWaiting.inc();
        log.warn({ err: error, attempt }, 'ClickHouse does not answer; trying again');
      },
      onRetried: () => metrics.clickhouseWaiting.dec(),
    });
    this.#closers.push(() => clickhouse.close());
    const kafka = connectKafka(environment, `driftloop-${name}`, log);
    const producer = await this.#connectProducer(kafka);
    this.#closers.push(() => producer.disconnect());
    const schemas = connectSchemaRegistry(
      environment,
      (error, attempt) => {
        metrics.registryRetries.inc();
        metrics.waits.failed('the schema registry', error);
        log.warn({ err: error, attempt }, 'the schema registry does not answer; trying again');
      },
      this.#stopping.signal,
    );
    await this.#untilTablesExist(clickhouse);
    const clock = await this.#startClock(clickhouse);
    const deadLetters = new DeadLetterSink({
      topic: topic(topics.deadLetters),
      service: name,
      producer,
      store: new DeadLetterStore(clickhouse, name),
      metrics,
    });
    const notices = new NoticeSink({
      topic: topic(topics.notices),
      service: name,
      producer,
      schemas,
      store: new NoticeStore(clickhouse),
    });
    const servers = { kafka, producer, clickhouse, schemas, clock };
    return { environment, settings, log, metrics, ...servers, deadLetters, notices, topic };
  }

  /** Waits for a Kafka that does not exist yet, and says so. */
  async #connectProducer(kafka: Kafka): Promise<KafkaProducer> {
    const { waits } = this.#metrics;
    const address = this.#environment.KAFKA_BROKERS;
    waits.failed('Kafka', `no connection to ${address} yet`);
    const timer = setTimeout(() => this.#log.warn(`waiting for Kafka at ${address}`), toldAfterMs);
    try {
      return waitForClock(await connectProducer(kafka), {
        signal: this.#stopping.signal,
        onRetry: error => {
          waits.failed('Kafka', kafkaMistake(error));
          this.#log.error(`${kafkaMistake(error)}; the service waits until then`);
        },
        onRetried: () => waits.answered('Kafka'),
      });
    } finally {
      clearTimeout(timer);
      waits.answered('Kafka');
    }
  }

  async #untilTablesExist(clickhouse: Clickhouse): Promise<void> {
    const { signal } = this.#stopping;
    const store = new TablesStore(clickhouse);
    const { CLICKHOUSE_DATABASE: database } = this.#environment;
    const missing = `database ${database} has no tables; \`driftloop migrate\` creates them`;
    while (!(await store.exist())) {
      this.#metrics.waits.failed('ClickHouse', missing);
      this.#log.warn(`waiting for ClickHouse: ${missing}`);
      await pause(missingPauseMs, undefined, { signal });
    }
    this.#metrics.waits.clear();
  }

  async #startClock(clickhouse: Clickhouse): Promise<ClockWatch> {
    const store = new ClockStore(clickhouse);
    const clock = new ClockWatch({
      serverNowMs: () => store.nowMs(),
      log: this.#log,
      gauge: this.#metrics.clockDifference,
    });
    this.#clock = clock;
    this.#closers.push(() => clock.stop());
    await clock.start();
    return clock;
  }

  #createConsumer(context: ServiceContext, parts: ServiceParts): BatchConsumer {
    const { environment, kafka, clickhouse, log, metrics, topic } = context;
    const groupId = consumerGroup(this.#environment, this.#name);
    const consumed = { kafka, groupId, topics: topicsOf(parts, topic), log, metrics };
    beginCounters(metrics, consumed.topics);
    const topicIds = connectTopicIds(kafka, {
      signal: this.#stopping.signal,
      onRetry: (error, attempt) => {
        metrics.waits.failed('Kafka', error);
        log.warn({ err: error, attempt }, 'Kafka does not say the ids of topics; trying again');
      },
    });
    this.#closers.push(() => topicIds.disconnect());
    const positions = new ReadPositions({
      ...consumed,
      topicIds,
      store: new PositionStore(clickhouse, this.#name),
      onBreaks: breaks => announceLostWindows(context, breaks),
    });
    return new BatchConsumer({
      ...consumed,
      positions,
      handler: parts.handler,
      onRecords: records => this.#clock?.noteRecords(records),
      flushIntervalMs: environment.DRIFTLOOP_FLUSH_MS,
      sessionTimeoutMs: environment.DRIFTLOOP_SESSION_TIMEOUT_MS,
      onCrash: error => {
        if (!(this.isStopping && isAbort(error))) fail(log, error);
      },
    });
  }

  #unreadyReason(): string | null {
    if (this.isStopping) return 'stopping';
    const { waits, loop } = this.#metrics;
    if (this.#consumer === null) return waits.reason(0) ?? 'starting';
    const { missingTopics } = this.#consumer;
    if (missingTopics.length > 0) return `waiting for ${missingTopics.join(', ')}: no such topic`;
    if (!this.#hasPartitions)
      return waits.reason(0) ?? 'waiting for the first assignment of partitions';
    return (
      waits.reason() ??
      loop.stallReason(this.#longWorkMs) ??
      this.#consumer.stuckReason ??
      this.#clock?.reason() ??
      null
    );
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #stop(signal: string): Promise<void> {
    if (this.isStopping) return;
    this.#stopping.abort();
    this.#log.info({ signal }, 'stopping');
    this.#metrics.loop.progressed();
    if (await Promise.race([this.#close(), this.#untilHanging()])) this.#log.info('stopped');
    else
      this.#log.warn('stopped while a server did not answer; what was not committed comes again');
    process.exit(0);
  }

  async #close(): Promise<true> {
    for (const close of this.#closers.toReversed()) await close();
    return true;
  }

  /** Resolves to false when nothing has gone on for a while. Longer work may end. */
  async #untilHanging(): Promise<false> {
    while (this.#metrics.loop.silentMs() < maxSilentStopMs) await pause(stopPollMs);
    return false;
  }
}

/** Returns how long a request had waited when it failed, where that is long. */
function silentMs(error: unknown): number {
  return error instanceof SilentServer ? error.silentMs : 0;
}

/** Returns the full names of the topics that a service consumes. */
function topicsOf(parts: ServiceParts, topic: ServiceContext['topic']): string[] {
  return [...new Set([...parts.topics.map(topic), ...(parts.otherTopics ?? [])])];
}

/**
 * Repeats announcements that were lost with the topic of windows. What other topics said cannot be
 * derived from tables.
 */
async function announceLostWindows(
  { clickhouse, producer, schemas, settings, topic }: ServiceContext,
  breaks: readonly FoundBreak[],
): Promise<void> {
  const topicOfWindows = topic(topics.windows);
  if (!breaks.some(found => found.topic === topicOfWindows)) return;
  await announceWindows({ clickhouse, producer, schemas, settings, topic: topicOfWindows });
}

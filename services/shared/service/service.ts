import { setFlagsFromString } from 'node:v8';
import { type Logger, pino } from 'pino';
import { connectSchemaRegistry, type SchemaClient } from '../avro/schemaRegistry.ts';
import { type Clickhouse, connectClickhouse } from '../clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../config/environment.ts';
import { readSettings, type Settings } from '../config/settings.ts';
import { connectKafka, connectProducer, type Kafka, type KafkaProducer } from '../kafka/kafka.ts';
import { consumerGroup, type ServiceName } from '../kafka/serviceFlow.ts';
import { connectTopicIds } from '../kafka/topicIds.ts';
import { prefixed, topics } from '../kafka/topics.ts';
import { UserError } from '../userError.ts';
import { announceWindows } from '../windows/announceWindows.ts';
import { BatchConsumer, type BatchHandler, isAbort } from './batchConsumer.ts';
import { DeadLetterSink } from './deadLetterSink.ts';
import { DeadLetterStore } from './deadLetterStore.ts';
import { healthServer } from './healthServer.ts';
import { createMetrics, type ServiceMetrics } from './metrics.ts';
import { NoticeSink } from './noticeSink.ts';
import { NoticeStore } from './noticeStore.ts';
import { PositionStore } from './positionStore.ts';
import { type FoundBreak, ReadPositions } from './readPositions.ts';

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
  try {
    const environment = readEnvironment();
    log = pino({
      name,
      level: environment.DRIFTLOOP_LOG_LEVEL,
      formatters: { level: label => ({ level: label }) },
    });
    const service = new Service(name, environment, log);
    await service.start(wire);
  } catch (error) {
    fail(log, error);
  }
}

function fail(log: Logger, error: unknown): void {
  if (error instanceof UserError) log.fatal(error.message);
  else log.fatal({ err: error }, 'stopped by an unexpected error');
  // pino writes to standard output synchronously, so nothing is lost here.
  process.exit(1);
}

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
  #longWorkMs = 0;
  #hasPartitions = false;
  #stopping = false;

  constructor(name: ServiceName, environment: Environment, log: Logger) {
    this.#name = name;
    this.#environment = environment;
    this.#log = log;
    this.#metrics = createMetrics(name);
  }

  async start(wire: (context: ServiceContext) => Promise<ServiceParts>): Promise<void> {
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
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => this.#stop(signal).catch(error => fail(this.#log, error)));
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
      onAnswer: () => metrics.loop.progressed(),
      onRetry: (error, attempt) => {
        metrics.retries.inc();
        if (attempt === 1) metrics.clickhouseWaiting.inc();
        log.warn({ err: error, attempt }, 'ClickHouse does not answer; trying again');
      },
      onRetried: () => metrics.clickhouseWaiting.dec(),
    });
    this.#closers.push(() => clickhouse.close());
    const kafka = connectKafka(environment, `driftloop-${name}`, log);
    const producer = await connectProducer(kafka);
    this.#closers.push(() => producer.disconnect());
    const schemas = connectSchemaRegistry(environment, (error, attempt) => {
      metrics.registryRetries.inc();
      log.warn({ err: error, attempt }, 'the schema registry does not answer; trying again');
    });
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
    const servers = { kafka, producer, clickhouse, schemas };
    return { environment, settings, log, metrics, ...servers, deadLetters, notices, topic };
  }

  #createConsumer(context: ServiceContext, parts: ServiceParts): BatchConsumer {
    const { environment, kafka, clickhouse, log, metrics, topic } = context;
    const groupId = consumerGroup(this.#environment, this.#name);
    const consumed = { kafka, groupId, topics: topicsOf(parts, topic), log, metrics };
    const topicIds = connectTopicIds(kafka);
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
      flushIntervalMs: environment.DRIFTLOOP_FLUSH_MS,
      sessionTimeoutMs: environment.DRIFTLOOP_SESSION_TIMEOUT_MS,
      onCrash: error => {
        if (!(this.#stopping && isAbort(error))) fail(log, error);
      },
    });
  }

  #unreadyReason(): string | null {
    if (this.#stopping) return 'stopping';
    if (this.#consumer === null) return 'starting';
    const { missingTopics } = this.#consumer;
    if (missingTopics.length > 0) return `waiting for ${missingTopics.join(', ')}: no such topic`;
    if (!this.#hasPartitions) return 'waiting for the first assignment of partitions';
    return this.#metrics.loop.stallReason(this.#longWorkMs);
  }

  async #stop(signal: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#log.info({ signal }, 'stopping');
    for (const close of this.#closers.toReversed()) await close();
    this.#log.info('stopped');
    process.exit(0);
  }
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

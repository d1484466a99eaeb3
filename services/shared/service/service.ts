import { setFlagsFromString } from 'node:v8';
import Fastify from 'fastify';
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
import { type BatchHandler, isAbort, startBatchConsumer } from './batchConsumer.ts';
import { type DeadLetterSink, deadLetterSink } from './deadLetters.ts';
import { createMetrics, type ServiceMetrics } from './metrics.ts';
import { readPositions } from './readPositions.ts';

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
  /** Name of a topic with the prefix of this installation. */
  topic(name: string): string;
}

export interface ServiceParts {
  /** Topics that it consumes, without prefix. */
  topics: string[];
  handler: BatchHandler;
  /** Ends what the service started beside its consumer, such as timers. */
  stop?(): Promise<void> | void;
}

/**
 * The life of a service process: read the environment and settings, connect, consume, answer /live, /ready and /metrics, stop cleanly on SIGTERM.
 * An unexpected error ends the process with exit code 1: whoever restarts it starts again from the last commit.
 */
export async function runService(
  name: ServiceName,
  wire: (context: ServiceContext) => Promise<ServiceParts>,
): Promise<void> {
  // V8 would learn from windows, which stay, that decoded records stay as well, and put all of them where it seldom collects.
  setFlagsFromString('--no-allocation-site-pretenuring');
  let log = pino({ name });
  try {
    const environment = readEnvironment();
    log = pino({
      name,
      level: environment.DRIFTLOOP_LOG_LEVEL,
      formatters: { level: label => ({ level: label }) },
    });
    await startService(name, environment, log, wire);
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

async function startService(
  name: ServiceName,
  environment: Environment,
  log: Logger,
  wire: (context: ServiceContext) => Promise<ServiceParts>,
): Promise<void> {
  const settings = readSettings(environment.DRIFTLOOP_CONFIG);
  const metrics = createMetrics(name);
  let isReady = () => false;
  let stopping = false;
  const http = Fastify();
  http.get('/live', async () => ({ status: 'ok' }));
  http.get('/ready', async (_, reply) =>
    reply.code(isReady() ? 200 : 503).send({ status: isReady() ? 'ok' : 'starting' }),
  );
  http.get('/metrics', async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  const address = await http.listen({
    port: environment.DRIFTLOOP_HTTP_PORT,
    host: environment.DRIFTLOOP_HTTP_HOST,
  });

  const topic = (topicName: string) => prefixed(environment, topicName);
  const kafka = connectKafka(environment, `driftloop-${name}`, log);
  const producer = await connectProducer(kafka);
  const clickhouse = connectClickhouse(environment, {
    retry: true,
    onRetry: (error, attempt) => {
      metrics.retries.inc();
      if (attempt === 1) metrics.clickhouseWaiting.inc();
      log.warn({ err: error, attempt }, 'ClickHouse does not answer; trying again');
    },
    onRetried: () => metrics.clickhouseWaiting.dec(),
  });
  const schemas = connectSchemaRegistry(environment, (error, attempt) => {
    metrics.registryRetries.inc();
    log.warn({ err: error, attempt }, 'the schema registry does not answer; trying again');
  });
  const deadLetters = deadLetterSink({
    topic: topic(topics.deadLetters),
    service: name,
    producer,
    clickhouse,
    metrics,
  });
  const parts = await wire({
    environment,
    settings,
    log,
    metrics,
    kafka,
    producer,
    clickhouse,
    schemas,
    deadLetters,
    topic,
  });
  const consumed = { groupId: consumerGroup(environment, name), topics: parts.topics.map(topic) };
  const topicIds = connectTopicIds(kafka);
  const positions = readPositions({
    ...consumed,
    service: name,
    kafka,
    topicIds,
    clickhouse,
    log,
    metrics,
    // What was announced there and never heard is announced again; other topics are read for what they say themselves.
    onBreaks: async breaks => {
      if (!breaks.some(found => found.topic === topic(topics.windows))) return;
      await announceWindows({
        clickhouse,
        producer,
        schemas,
        settings,
        topic: topic(topics.windows),
      });
    },
  });
  const consumer = startBatchConsumer({
    ...consumed,
    kafka,
    positions,
    handler: parts.handler,
    flushIntervalMs: environment.DRIFTLOOP_FLUSH_MS,
    sessionTimeoutMs: environment.DRIFTLOOP_SESSION_TIMEOUT_MS,
    log,
    metrics,
    onCrash: error => {
      if (!(stopping && isAbort(error))) fail(log, error);
    },
  });

  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await parts.stop?.();
    await consumer.stop();
    await Promise.all([producer.disconnect(), topicIds.disconnect()]);
    await clickhouse.close();
    await http.close();
    log.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => stop(signal).catch(error => fail(log, error)));

  await consumer.joined;
  isReady = () => !stopping && consumer.isReading();
  log.info({ address }, 'ready');
}

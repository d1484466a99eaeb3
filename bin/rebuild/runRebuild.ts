import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropInstallation } from '../../infra/installation/dropInstallation.ts';
import { prepareInstallation } from '../../infra/installation/prepareInstallation.ts';
import { untilCommitted } from '../../infra/kafka/untilCommitted.ts';
import { startServices } from '../../infra/local/processes/startServices.ts';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { type Clickhouse, connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { connectProducer, type Kafka, type KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { consumerGroup, type ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { UserError } from '../../services/shared/userError.ts';
import { announceWindows } from '../../services/shared/windows/announceWindows.ts';
import type { Progress } from '../terminal/progress.ts';
import { holdServices } from './holdServices.ts';
import { type MovedRows, moveRows } from './moveRows.ts';
import { type PlannedPartition, type RebuildPlan, rebuildSources } from './rebuildPlan.ts';

export interface Rebuild {
  environment: Environment;
  kafka: Kafka;
  admin: KafkaAdmin;
  /** Database of the tables that are rebuilt. */
  clickhouse: Clickhouse;
  plan: RebuildPlan;
  progress: Progress;
  /** Ends the rebuild early. */
  signal: AbortSignal;
}

export interface RebuildResult {
  moved: MovedRows[];
  /** Services that ran meanwhile, and have judged the rebuilt windows. */
  services: ServiceName[];
}

/**
 * Reads the topics of producers again with services and a database of its own, and moves the rows
 * into the tables.
 *
 * Other services go on meanwhile, and pause only while the rows are moved. Once they have written
 * all they had, the rebuild reads the records that they were ahead of it. So no row is replaced by
 * one that knows less. Afterwards the services load the new rows and go on where they stopped.
 */
export async function runRebuild(rebuild: Rebuild): Promise<RebuildResult> {
  const { environment, admin, clickhouse, plan, progress, signal } = rebuild;
  const id = randomBytes(4).toString('hex');
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-rebuild-'));
  const variables = shadowVariables(environment, id);
  const shadow = readEnvironment({ ...process.env, ...variables });
  const failure = new AbortController();
  const ended = AbortSignal.any([signal, failure.signal]);
  let stopServices = async () => {};
  let logIsNamed = false;
  try {
    await prepare(rebuild, shadow, plan);
    ({ stop: stopServices } = await startServices({
      services: ['profiler', 'evaluator'],
      variables,
      logDir: folder,
      onExit: line => failure.abort(new UserError(line)),
    }));
    const shadowOptions = { ...rebuild, shadow, signal: ended };
    await readUntil(shadowOptions, plan.partitions);
    progress.step('the topics are read; waiting for the services to pause');
    const hold = await holdServices(admin, clickhouse, environment, id, ended);
    let moved: MovedRows[];
    try {
      await readUntil(shadowOptions, await withEndsOfNow(admin, plan.partitions));
      await stopServices();
      ended.throwIfAborted();
      const sources = rebuildSources(environment).map(({ topic }) => topic);
      moved = await moveRows(clickhouse, shadow.CLICKHOUSE_DATABASE, plan.fromMs, sources);
      await announce(rebuild, shadow.CLICKHOUSE_DATABASE);
    } finally {
      await hold.release();
    }
    progress.step('the rows are in the tables; the services go on');
    await untilJudged(rebuild, hold.services);
    return { moved, services: hold.services };
  } catch (error) {
    logIsNamed = String(error).includes(folder);
    throw error;
  } finally {
    await stopServices();
    await dropInstallation(admin, shadow);
    if (!logIsNamed) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Returns variables with which services read the real topics of producers, and write to topics and
 * a database of the rebuild.
 */
function shadowVariables(environment: Environment, id: string): Record<string, string> {
  return {
    CLICKHOUSE_DATABASE: `${environment.CLICKHOUSE_DATABASE}_rebuild_${id}`,
    DRIFTLOOP_TOPIC_PREFIX: `${environment.DRIFTLOOP_TOPIC_PREFIX}rebuild-${id}-`,
    DRIFTLOOP_PREDICTIONS_TOPIC: prefixed(environment, topics.predictions),
    DRIFTLOOP_FEEDBACK_TOPIC: prefixed(environment, topics.feedback),
  };
}

async function prepare(
  { admin, environment }: Rebuild,
  shadow: Environment,
  plan: RebuildPlan,
): Promise<void> {
  await prepareInstallation(admin, shadow);
  const clickhouse = connectClickhouse(shadow, { retry: false });
  const positions = plan.partitions.map(
    ({ service, topic, topicId, partition, base, fromOffset, endOffset }) => ({
      service,
      topic,
      partition,
      position: base + fromOffset,
      topic_id: topicId,
      end_position: base + endOffset,
    }),
  );
  try {
    await clickhouse.insert('topic_positions', positions);
    // What outputs mean is decided from the first labels of a version, which are not read again.
    if (plan.fromMs !== null) {
      const stored = `${environment.CLICKHOUSE_DATABASE}.output_meanings`;
      await clickhouse.command(`INSERT INTO output_meanings SELECT * FROM ${stored} FINAL`);
    }
  } finally {
    await clickhouse.close();
  }
}

async function withEndsOfNow(
  admin: KafkaAdmin,
  partitions: readonly PlannedPartition[],
): Promise<readonly PlannedPartition[]> {
  const ends = new Map<string, number>();
  for (const topic of new Set(partitions.map(partition => partition.topic)))
    for (const { partition, high } of await admin.fetchTopicOffsets(topic))
      ends.set(`${topic}/${partition}`, Number(high));
  return partitions.map(planned => ({
    ...planned,
    endOffset: ends.get(`${planned.topic}/${planned.partition}`)!,
  }));
}

type ShadowOptions = Pick<Rebuild, 'admin' | 'progress' | 'signal'> & { shadow: Environment };

/** Waits until predictions and feedback are read up to the ends, and all that follows from them. */
async function readUntil(
  options: ShadowOptions,
  partitions: readonly PlannedPartition[],
): Promise<void> {
  const { admin, shadow, progress, signal } = options;
  for (const ofTopic of Map.groupBy(partitions, ({ topic }) => topic).values()) {
    const { service, topic } = ofTopic[0]!;
    const ranges = new Map(
      ofTopic.map(({ partition, fromOffset, endOffset }) => [
        partition,
        { from: fromOffset, to: endOffset },
      ]),
    );
    await untilCommitted({
      admin,
      groupId: consumerGroup(shadow, service),
      topic,
      ranges,
      signal,
      onWaiting: left =>
        progress.update(`reading ${topic}: ${left.toLocaleString('en')} records to go`),
    });
  }
  await untilReadToEnd(admin, shadow, 'evaluator', signal);
}

/** Waits until a service has read what the topic of windows holds now. */
async function untilReadToEnd(
  admin: KafkaAdmin,
  environment: Environment,
  service: ServiceName,
  signal: AbortSignal,
): Promise<void> {
  const topic = prefixed(environment, topics.windows);
  const offsets = await admin.fetchTopicOffsets(topic);
  const ranges = new Map(
    offsets.map(({ partition, low, high }) => [partition, { from: Number(low), to: Number(high) }]),
  );
  await untilCommitted({
    admin,
    groupId: consumerGroup(environment, service),
    topic,
    ranges,
    signal,
  });
}

async function announce(
  { environment, kafka, clickhouse, plan }: Rebuild,
  shadow: string,
): Promise<void> {
  const producer = await connectProducer(kafka);
  await announceWindows({
    clickhouse,
    producer,
    schemas: connectSchemaRegistry(environment),
    settings: readSettings(environment.DRIFTLOOP_CONFIG),
    topic: prefixed(environment, topics.windows),
    formerWindows: `${shadow}.wrong_window_profiles`,
    ...(plan.fromMs !== null && { fromMs: plan.fromMs }),
  }).finally(() => producer.disconnect());
}

/**
 * Waits until the windows are judged. The evaluator computes them again and announces them in turn,
 * so it comes first.
 */
async function untilJudged(
  { admin, environment, signal, progress }: Rebuild,
  services: readonly ServiceName[],
) {
  for (const service of ['evaluator', 'detector'] as const) {
    if (services.includes(service)) await untilReadToEnd(admin, environment, service, signal);
    else
      progress.step(
        `no ${service} runs now; when one starts, it computes again what follows from the rebuilt rows`,
      );
  }
}

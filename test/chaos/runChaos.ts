import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../infra/clickhouse/migrate.ts';
import { waitUntilQuiet } from '../../infra/quiescence.ts';
import { readTopic } from '../../infra/readTopic.ts';
import type { ServiceName } from '../../infra/serviceFlow.ts';
import { ensureTopics } from '../../infra/topics.ts';
import { connectClickhouse } from '../../services/shared/clickhouse.ts';
import type { Feedback, Prediction } from '../../services/shared/contracts.ts';
import { type Environment, readEnvironment } from '../../services/shared/environment.ts';
import { connectKafka, connectProducer, type KafkaRecord } from '../../services/shared/kafka.ts';
import { seededRandom } from '../../services/shared/model/seededRandom.ts';
import { connectSchemaRegistry, contractType, wireHeaderBytes } from '../../services/shared/schemaRegistry.ts';
import { readSettings } from '../../services/shared/settings.ts';
import { createDisturber } from './disturbances.ts';
import { startFleet } from './fleet.ts';
import { oracle } from './oracle.ts';
import { startServers } from './servers.ts';
import { comparedTables, differences, storedRows } from './storedTables.ts';
import { chunksOfStream, type Encoders, type StreamRecord } from './stream.ts';

export interface ChaosOptions {
  seed: number;
  /** Chunks of some 400 to 600 predictions; each is followed by a disturbance. */
  chunks: number;
  onProgress?: (line: string) => void;
}

export interface ChaosResult {
  /** What was done, how often. */
  survived: Map<string, number>;
  restarts: number;
  /** Records in the topics of producers, and rows that were compared with the oracle, by table. */
  records: number;
  rows: Map<string, number>;
  /** One line each; none when all is as it must be. */
  differences: string[];
}

const services: readonly ServiceName[] = ['profiler', 'evaluator', 'detector'];
const sessionTimeoutMs = 2_000;

/** Runs the services on real servers under disturbances, and compares the tables with what one offline pass over the topics says. */
export async function runChaos({ seed, chunks, onProgress }: ChaosOptions): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-chaos-'));
  const servers = await startServers(folder);
  try {
    const variables = {
      ...servers.variables,
      CLICKHOUSE_DATABASE: 'chaos',
      DRIFTLOOP_TOPIC_PREFIX: 'chaos-',
      DRIFTLOOP_FLUSH_MS: '100',
      DRIFTLOOP_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    };
    const environment = readEnvironment(variables);
    await prepare(environment);
    const fleet = startFleet(services, variables, folder);
    try {
      const random = seededRandom(seed);
      for (const service of services) await fleet.add(service);
      const disturber = createDisturber(fleet, servers, random, sessionTimeoutMs);
      const survived = new Map<string, number>();
      await produce(environment, chunks, random, async chunk => {
        const what = await disturber.disturb();
        survived.set(what, (survived.get(what) ?? 0) + 1);
        onProgress?.(`${chunk + 1}/${chunks} ${what}`);
      });
      await disturber.calm();
      onProgress?.('waiting until all is processed');
      return { survived, restarts: fleet.restarts(), ...(await compare(environment)) };
    } finally {
      await fleet.stop();
    }
  } finally {
    await servers.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(environment: Environment): Promise<void> {
  const admin = connectKafka(environment, 'chaos').admin();
  await Promise.all([migrate(environment), admin.connect()]);
  await ensureTopics(admin, environment);
  await admin.disconnect();
}

async function produce(
  environment: Environment,
  chunks: number,
  random: () => number,
  afterChunk: (chunk: number) => Promise<void>,
): Promise<void> {
  const schemas = connectSchemaRegistry(environment);
  const encoders: Encoders = {
    prediction: await schemas.encoder<Prediction>('Prediction', 'chaos-predictions'),
    feedback: await schemas.encoder<Feedback>('Feedback', 'chaos-feedback'),
  };
  const producer = await connectProducer(connectKafka(environment, 'chaos'));
  // The stream has a seed of its own, so that it is the same whatever the disturbances draw.
  const stream = chunksOfStream(seededRandom(Math.floor(random() * 2 ** 32)), encoders, chunks);
  let number = 0;
  for (const records of stream) {
    await producer.sendBatch({ topicMessages: [...topicMessages(records)] });
    await afterChunk(number++);
  }
  await producer.disconnect();
}

function* topicMessages(records: readonly StreamRecord[]) {
  for (const [topic, messages] of Map.groupBy(records, record => record.topic))
    yield { topic: `chaos-${topic}`, messages: messages.map(({ key, value, headers }) => ({ key, value, headers })) };
}

async function compare(environment: Environment): Promise<Pick<ChaosResult, 'records' | 'rows' | 'differences'>> {
  const kafka = connectKafka(environment, 'chaos');
  const admin = kafka.admin();
  const clickhouse = connectClickhouse(environment, { retry: false });
  await admin.connect();
  try {
    await waitUntilQuiet({ admin, environment, services });
    const read = async (topic: string) => {
      const all: KafkaRecord[] = [];
      await readTopic(kafka, admin, `chaos-${topic}`, async records => void all.push(...records));
      return all;
    };
    const [predictions, feedback] = [await read('predictions'), await read('feedback')];
    const { window, allowedLateness, horizon } = readSettings(undefined).of('new');
    const decode = {
      prediction: (value: Buffer): Prediction => contractType('Prediction').fromBuffer(value.subarray(wireHeaderBytes)),
      feedback: (value: Buffer): Feedback => contractType('Feedback').fromBuffer(value.subarray(wireHeaderBytes)),
    };
    const expected = oracle(predictions, feedback, decode, {
      windowMs: window,
      allowedLatenessMs: allowedLateness,
      horizonMs: horizon,
    });
    const found: string[] = [];
    for (const table of comparedTables)
      found.push(...differences(table, expected[table], await storedRows(clickhouse, table)));
    return {
      records: predictions.length + feedback.length,
      rows: new Map(comparedTables.map(table => [table, expected[table].size])),
      differences: found,
    };
  } finally {
    await Promise.all([admin.disconnect(), clickhouse.close()]);
  }
}

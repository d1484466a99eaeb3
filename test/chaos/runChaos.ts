import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avro from 'avsc';
import { sendStreamEnd } from '../../bin/replay/sendStreamEnd.ts';
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
import { prefixed, topics } from '../../services/shared/topics.ts';
import { createDisturber } from './disturbances.ts';
import { startFleet } from './fleet.ts';
import { oracle, type Rows } from './oracle.ts';
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
const recordsPerSend = 1_000;

/**
 * Runs the services on real servers under disturbances, and compares the tables with what one offline pass over the topics says, and the
 * drift events with those that the same records bring about undisturbed.
 */
export async function runChaos({ seed, chunks, onProgress }: ChaosOptions): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-chaos-'));
  const servers = await startServers(folder);
  try {
    const random = seededRandom(seed);
    const survived = new Map<string, number>();
    const disturbed = installation('chaos', servers.variables);
    await prepare(disturbed.environment);
    const fleet = startFleet(services, disturbed.variables, folder);
    try {
      for (const service of services) await fleet.add(service);
      const disturber = createDisturber(fleet, servers, random, sessionTimeoutMs);
      await produce(disturbed.environment, chunks, random, async chunk => {
        const what = await disturber.disturb();
        survived.set(what, (survived.get(what) ?? 0) + 1);
        onProgress?.(`${chunk + 1}/${chunks} ${what}`);
      });
      await disturber.calm();
      onProgress?.('waiting until all is processed');
      await untilProcessed(disturbed.environment);
    } finally {
      await fleet.stop();
    }
    const records = await recordsOf(disturbed.environment);
    const compared = await compareWithOracle(disturbed.environment, records);

    onProgress?.('the same records undisturbed');
    const calm = installation('calm', servers.variables);
    await replayUndisturbed(calm, records, folder);
    const [expected, found] = [await driftEvents(calm.environment), await driftEvents(disturbed.environment)];
    return {
      survived,
      restarts: fleet.restarts(),
      records: records.length,
      rows: new Map([...compared.rows, ['drift_events', expected.size]]),
      differences: [...compared.differences, ...differences('drift_events', expected, found)],
    };
  } finally {
    await servers.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface ChaosInstallation {
  variables: Record<string, string>;
  environment: Environment;
}

function installation(name: string, servers: Record<string, string>): ChaosInstallation {
  const variables = {
    ...servers,
    CLICKHOUSE_DATABASE: name,
    DRIFTLOOP_TOPIC_PREFIX: `${name}-`,
    DRIFTLOOP_FLUSH_MS: '100',
    DRIFTLOOP_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
  };
  return { variables, environment: readEnvironment(variables) };
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

/** Waits until nothing is under way, tells the detector that the streams are over, and waits until the last windows are judged. */
async function untilProcessed(environment: Environment): Promise<void> {
  const kafka = connectKafka(environment, 'chaos');
  const [admin, producer] = [kafka.admin(), await connectProducer(kafka)];
  const clickhouse = connectClickhouse(environment, { retry: false });
  await admin.connect();
  try {
    await waitUntilQuiet({ admin, environment, services });
    await sendStreamEnd(producer, clickhouse, environment, readSettings(undefined));
    await waitUntilQuiet({ admin, environment, services });
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect(), clickhouse.close()]);
  }
}

/** All records of the topics of producers, those of a partition in the order of their offsets. */
async function recordsOf(environment: Environment): Promise<KafkaRecord[]> {
  const kafka = connectKafka(environment, 'chaos');
  const admin = kafka.admin();
  await admin.connect();
  const all: KafkaRecord[] = [];
  for (const topic of [topics.predictions, topics.feedback])
    await readTopic(kafka, admin, prefixed(environment, topic), async records => void all.push(...records));
  await admin.disconnect();
  return all;
}

async function replayUndisturbed(
  { variables, environment }: ChaosInstallation,
  records: readonly KafkaRecord[],
  folder: string,
): Promise<void> {
  await prepare(environment);
  const producer = await connectProducer(connectKafka(environment, 'chaos'));
  for (const topic of [topics.predictions, topics.feedback]) {
    const ofTopic = records.filter(record => record.topic.endsWith(topic));
    for (let start = 0; start < ofTopic.length; start += recordsPerSend) {
      const messages = ofTopic.slice(start, start + recordsPerSend);
      await producer.send({
        topic: prefixed(environment, topic),
        messages: messages.map(({ key, value, headers, partition }) => ({ key, value, headers, partition })),
      });
    }
  }
  await producer.disconnect();
  const fleet = startFleet(services, variables, folder);
  try {
    for (const service of services) await fleet.add(service);
    await untilProcessed(environment);
  } finally {
    await fleet.stop();
  }
}

/** The final state of each drift event. How often it was revised depends on when data came, and may differ. */
async function driftEvents(environment: Environment): Promise<Rows> {
  const clickhouse = connectClickhouse(environment, { retry: false });
  const rows = await clickhouse.select<Record<string, string | number>>(
    `SELECT id, model, version, segment, feature, cause, status, toUnixTimestamp64Milli(window_start) AS start_ms,
            toUnixTimestamp64Milli(window_end) AS end_ms, records, reference FROM drift_events FINAL`,
  );
  await clickhouse.close();
  return new Map(rows.map(({ id, ...columns }) => [String(id), columns]));
}

/** The contract as avsc alone reads it, without what the services add for speed. */
function plainType(contract: string): avro.Type {
  return avro.Type.forSchema(contractType(contract).schema({ exportAttrs: true }));
}

async function compareWithOracle(
  environment: Environment,
  records: readonly KafkaRecord[],
): Promise<Pick<ChaosResult, 'rows' | 'differences'>> {
  const { window, allowedLateness, horizon } = readSettings(undefined).of('new');
  const [plainPrediction, plainFeedback] = [plainType('Prediction'), plainType('Feedback')];
  const decode = {
    prediction: (value: Buffer): Prediction => plainPrediction.fromBuffer(value.subarray(wireHeaderBytes)),
    feedback: (value: Buffer): Feedback => plainFeedback.fromBuffer(value.subarray(wireHeaderBytes)),
  };
  const expected = oracle(
    records.filter(record => record.topic === prefixed(environment, topics.predictions)),
    records.filter(record => record.topic === prefixed(environment, topics.feedback)),
    decode,
    { windowMs: window, allowedLatenessMs: allowedLateness, horizonMs: horizon },
  );
  const clickhouse = connectClickhouse(environment, { retry: false });
  const found: string[] = [];
  for (const table of comparedTables)
    found.push(...differences(table, expected[table], await storedRows(clickhouse, table)));
  await clickhouse.close();
  return { rows: new Map(comparedTables.map(table => [table, expected[table].size])), differences: found };
}

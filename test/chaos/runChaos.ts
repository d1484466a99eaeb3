import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import avro from 'avsc';
import type { IHeaders } from 'kafkajs';
import { sendStreamEnd } from '../../bin/replay/sendStreamEnd.ts';
import { migrate } from '../../infra/clickhouse/migrate.ts';
import { groupLag } from '../../infra/kafka/groupLag.ts';
import { type QuiescenceOptions, waitUntilQuiet } from '../../infra/kafka/quiescence.ts';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import {
  connectSchemaRegistry,
  contractType,
  wireHeaderBytes,
} from '../../services/shared/avro/schemaRegistry.ts';
import { type Clickhouse, connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type {
  Feedback,
  Prediction,
  RetrainRequest,
  VersionRequest,
} from '../../services/shared/contracts.ts';
import {
  connectKafka,
  connectProducer,
  type KafkaRecord,
} from '../../services/shared/kafka/kafka.ts';
import type { ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { seededRandom } from '../../services/shared/model/seededRandom.ts';
import { produceBatch } from '../kafkaProtocol/produceBatch.ts';
import { mountArtifactsDisk } from './artifactsDisk.ts';
import { createDisturber, type Disturbance, everyDisturbance } from './disturbances.ts';
import { startFaultProxy } from './faultProxy.ts';
import { startFleet } from './fleet.ts';
import { type HostileBatch, hostileBatches } from './hostileBatches.ts';
import { hostileRegistry } from './hostileRegistry.ts';
import { oracle, type Rows } from './oracle.ts';
import { startServers } from './servers.ts';
import { memoryOf, type ServiceMemory, tooMuchMemory } from './serviceMemory.ts';
import {
  deadLettersOfTopic,
  differences,
  oracleTables,
  storedRows,
  verdictTables,
} from './storedTables.ts';
import { chunksOfStream, type Encoders, requestFor, type StreamRecord } from './stream.ts';
import { checkTrainings } from './trainings.ts';

export interface ChaosOptions {
  seed: number;
  /** Number of chunks of about 400 to 600 predictions. A disturbance follows each chunk. */
  chunks: number;
  /** Disturbances of a round, in any order. All of them occur before any of the next round. */
  round?: readonly Disturbance[];
  onProgress?: (line: string) => void;
}

export interface ChaosResult {
  /** How often each disturbance occurred. */
  survived: Map<string, number>;
  /** How often the process of a service was started again. */
  restarts: number;
  /** Number of records in the topics that producers and people write. */
  records: number;
  /** Number of compared rows by table. */
  rows: Map<string, number>;
  /**
   * Number of records in the topic dead-letters. It exceeds the number of rows by those that were
   * sent again after a crash.
   */
  deadLetters: number;
  /** Number of training runs by the type of their cause and their result. */
  trainings: Map<string, number>;
  /** Memory of each replica at the end. */
  memory: ServiceMemory[];
  /** Why the artifacts disk could not be filled on this machine; null if it could. */
  obstacle: string | null;
  /** One line for each difference from the expected result; empty if there are none. */
  differences: string[];
}

const services: readonly ServiceName[] = ['profiler', 'evaluator', 'detector', 'retrainer'];
/**
 * The undisturbed run has no retrainer, because the result of a training depends on when it began.
 */
const undisturbedServices: readonly ServiceName[] = ['profiler', 'evaluator', 'detector'];
const producersTopics = [topics.predictions, topics.feedback, topics.retrainRequests] as const;
/**
 * Session timeout. It is short, so that frozen processes become zombies, but long enough for a busy
 * machine.
 */
const sessionTimeoutMs = 4_000;
const recordsPerSend = 1_000;
/** At most as many as a topic has partitions. */
const hostileBatchesPerChunk = 3;
const artifactsMegabytes = 48;
const modelToTrain = 'new';

/**
 * Runs the services on real servers while they are disturbed. Then it compares the tables with the
 * result of one offline pass over the topics, the verdicts with those of an undisturbed run over
 * the same records, and the trainings with their causes.
 */
export async function runChaos({
  seed,
  chunks,
  round = everyDisturbance,
  onProgress,
}: ChaosOptions): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-chaos-'));
  const servers = await startServers(folder);
  const artifacts = mountArtifactsDisk(join(folder, 'artifacts'), artifactsMegabytes);
  const { CLICKHOUSE_URL, SCHEMA_REGISTRY_URL } = servers.variables;
  const proxies = {
    clickhouse: await startFaultProxy(CLICKHOUSE_URL),
    registry: await startFaultProxy(SCHEMA_REGISTRY_URL, hostileRegistry()),
  };
  const settingsFile = join(folder, 'driftloop.yaml');
  await writeFile(settingsFile, settingsText);
  const direct = {
    ...servers.variables,
    DRIFTLOOP_CONFIG: settingsFile,
    DRIFTLOOP_ARTIFACTS: artifacts.folder,
  };
  const harmed = {
    CLICKHOUSE_URL: proxies.clickhouse.url,
    SCHEMA_REGISTRY_URL: proxies.registry.url,
  };
  try {
    const random = seededRandom(seed);
    const survived = new Map<string, number>();
    const disturbed = await connectInstallation('chaos', direct);
    await ensureTopics(disturbed.admin, disturbed.environment);
    const fleet = startFleet(services, { ...disturbed.variables, ...harmed }, folder);
    let memory: ServiceMemory[];
    const stream = await openStream(disturbed, chunks, random);
    try {
      await Promise.all(services.map(service => fleet.add(service)));
      const disturber = createDisturber(
        {
          fleet,
          servers,
          proxies,
          artifacts,
          addPartition: () => stream.addPartition(),
          train: async id => {
            await stream.requestTraining(modelToTrain, id);
            await untilRunEnded(disturbed.clickhouse, id, fleet.broken);
          },
        },
        round,
        random,
        sessionTimeoutMs,
      );
      for (let chunk = 0; chunk < chunks; chunk++) {
        await stream.sendChunk();
        const what = await disturber.disturb();
        fleet.broken.throwIfAborted();
        survived.set(what, (survived.get(what) ?? 0) + 1);
        onProgress?.(`${chunk + 1}/${chunks} ${what}`);
      }
      await disturber.calm();
      onProgress?.('waiting until all records are processed');
      await untilProcessed(disturbed, services, fleet.broken);
      memory = await memoryOf(services.flatMap(service => fleet.replicas(service)));
    } finally {
      await fleet.stop();
      await stream.close();
    }
    const records = await recordsOf(disturbed);
    const compared = await compareWithOracle(disturbed, records);
    const letters = await deadLettersOfTopic(
      disturbed.kafka,
      disturbed.admin,
      disturbed.environment,
    );
    const trainings = await checkTrainings(disturbed, stream.requestedIds());

    onProgress?.('processing the same records undisturbed');
    const calm = await connectInstallation('calm', direct);
    const partitions = (
      await disturbed.admin.fetchTopicOffsets(prefixed(disturbed.environment, topics.predictions))
    ).length;
    await ensureTopics(calm.admin, calm.environment, { [topics.predictions]: { partitions } });
    await replayUndisturbed(calm, records, folder);
    const result: ChaosResult = {
      survived,
      restarts: fleet.restarts(),
      records: records.length,
      rows: new Map([...compared.expected].map(([table, rows]) => [table, rows.size])),
      deadLetters: letters.letters,
      trainings: trainings.counts,
      memory,
      obstacle: artifacts.obstacle,
      differences: [
        ...compared.differences,
        ...letters.differences,
        ...differences(
          'topic dead-letters',
          compared.expected.get('topic dead-letters')!,
          letters.rows,
        ),
        ...trainings.differences,
        ...(await lagging(disturbed)),
        ...memory.flatMap(tooMuchMemory),
      ],
    };
    for (const table of verdictTables) {
      const expected = await storedRows(calm.clickhouse, table);
      result.rows.set(table, expected.size);
      result.differences.push(
        ...differences(table, expected, await storedRows(disturbed.clickhouse, table)),
      );
    }
    await Promise.all([disturbed.close(), calm.close()]);
    return result;
  } finally {
    await Promise.all(Object.values(proxies).map(proxy => proxy.stop()));
    await servers.stop();
    artifacts.unmount();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Settings that train often and quickly: with a trainer that takes no time, from few rows, and with
 * almost no cooldown.
 */
const trainer = fileURLToPath(new URL('./trainer.ts', import.meta.url));
const settingsText = JSON.stringify({
  defaults: {
    retraining: {
      command: [process.execPath, trainer],
      cooldown: '1s',
      minimumLabelledRows: 200,
      maximumRows: 2_000,
      timeout: '1m',
    },
  },
});

async function connectInstallation(name: string, servers: Record<string, string>) {
  const variables = {
    ...servers,
    CLICKHOUSE_DATABASE: name,
    DRIFTLOOP_TOPIC_PREFIX: `${name}-`,
    DRIFTLOOP_FLUSH_MS: '100',
    DRIFTLOOP_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
  };
  const environment = readEnvironment(variables);
  const kafka = connectKafka(environment, 'chaos');
  const admin = kafka.admin();
  await Promise.all([migrate(environment), admin.connect()]);
  const clickhouse = connectClickhouse(environment, { retry: true });
  return {
    variables,
    environment,
    settings: readSettings(environment.DRIFTLOOP_CONFIG),
    kafka,
    admin,
    clickhouse,
    close: () => Promise.all([admin.disconnect(), clickhouse.close()]),
  };
}

type ChaosInstallation = Awaited<ReturnType<typeof connectInstallation>>;

/** Opens the stream, which is sent chunk by chunk, and what disturbances request in addition. */
async function openStream(
  { environment, kafka, admin }: ChaosInstallation,
  chunks: number,
  random: () => number,
) {
  const topic = (name: string) => prefixed(environment, name);
  const schemas = connectSchemaRegistry(environment);
  const encoders: Encoders = {
    prediction: await schemas.encoder<Prediction>('Prediction', topic(topics.predictions)),
    feedback: await schemas.encoder<Feedback>('Feedback', topic(topics.feedback)),
    request: await schemas.encoder<RetrainRequest>('RetrainRequest', topic(topics.retrainRequests)),
  };
  const encodeVersionRequest = await schemas.encoder<VersionRequest>(
    'VersionRequest',
    topic(topics.versionRequests),
  );
  let producer = await connectProducer(kafka);
  let chunk = 0;
  // The stream has its own seed, so that it does not depend on what the disturbances draw.
  const streamSeed = Math.floor(random() * 2 ** 32);
  const stream = chunksOfStream(seededRandom(streamSeed), encoders, chunks);
  const hostile = hostileBatches(seededRandom(streamSeed + 1), encoders);
  const requested = new Set<string>();

  async function send(records: readonly StreamRecord[]): Promise<void> {
    const byTopic = Map.groupBy(records, record => record.topic);
    await producer.sendBatch({
      topicMessages: [...byTopic].map(([name, messages]) => ({
        topic: topic(name),
        messages: messages.map(({ key, value, headers }) => ({ key, value, headers })),
      })),
    });
    for (const { topic: name, value, headers } of records) {
      if (name !== topics.retrainRequests || headers.broken) continue;
      const request = contractType('RetrainRequest').fromBuffer(
        value!.subarray(wireHeaderBytes),
      ) as RetrainRequest;
      requested.add(request.id);
    }
  }

  /** Two people ask at the same moment to go back, and to approve a version that may exist. */
  async function requestVersions(): Promise<void> {
    const request = (action: 'approve' | 'rollback', version: string | null): VersionRequest => ({
      id: `${action} ${chunk}`,
      model: modelToTrain,
      action,
      version,
      expectedChampion: null,
      requestedBy: 'chaos',
      note: null,
      time: Date.now(),
    });
    const asked = [request('rollback', null), request('approve', String((chunk % 4) + 2))];
    await producer.send({
      topic: topic(topics.versionRequests),
      messages: asked.map(one => ({ key: one.model, value: encodeVersionRequest(one) })),
    });
  }

  /** Sends batches as bytes, past all clients, and records of a transaction that is aborted. */
  async function sendHostileBatches(): Promise<void> {
    for (let number = 0; number < hostileBatchesPerChunk; number++) {
      const { topic: name, batch } = hostile.next().value as HostileBatch;
      const target = { broker: environment.KAFKA_BROKERS, topic: topic(name), partition: number };
      const error = await produceBatch(target, batch);
      if (error !== 0) throw new Error(`Kafka refuses a batch with error ${error}`);
    }
    const aborting = await connectProducer(kafka, `${environment.DRIFTLOOP_TOPIC_PREFIX}aborting`);
    const transaction = await aborting.transaction();
    await transaction.send({
      topic: topic(topics.predictions),
      messages: [{ key: 'aborted', value: 'never counted' }],
    });
    await transaction.abort();
    await aborting.disconnect();
  }

  return {
    async sendChunk(): Promise<void> {
      await send(stream.next().value as StreamRecord[]);
      await sendHostileBatches();
      await requestVersions();
      chunk++;
    },
    requestTraining: (model: string, id: string) => send([requestFor(model, id, encoders)]),
    /** Returns the ids of all training requests that were sent. */
    requestedIds: () => [...requested],
    async addPartition(): Promise<void> {
      const name = topic(topics.predictions);
      const { length } = await admin.fetchTopicOffsets(name);
      await admin.createPartitions({ topicPartitions: [{ topic: name, count: length + 1 }] });
      // A connected producer learns of new partitions only after minutes, but a new one at once.
      await producer.disconnect();
      producer = await connectProducer(kafka);
    },
    close: () => producer.disconnect(),
  };
}

const runTimeoutMs = 120_000;

async function untilRunEnded(
  clickhouse: Clickhouse,
  causeId: string,
  broken: AbortSignal,
): Promise<void> {
  const deadlineMs = Date.now() + runTimeoutMs;
  for (;;) {
    broken.throwIfAborted();
    const [row] = await clickhouse.select<{ ended: number }>(
      "SELECT count() AS ended FROM training_runs FINAL WHERE cause_id = {causeId:String} AND status != 'started'",
      { causeId },
    );
    if (row!.ended > 0) return;
    if (Date.now() > deadlineMs)
      throw new Error(`the training for ${causeId} has not ended within ${runTimeoutMs / 1000} s`);
    await pause(100);
  }
}

/**
 * Waits until the services have processed everything, tells the detector that the streams have
 * ended, and waits until the last windows are judged.
 */
async function untilProcessed(
  { environment, admin, kafka, clickhouse, settings }: ChaosInstallation,
  awaited: readonly ServiceName[],
  broken: AbortSignal,
): Promise<void> {
  const producer = await connectProducer(kafka);
  const quiet = () => untilQuietOrStuck({ admin, environment, services: awaited }, broken);
  await quiet();
  await sendStreamEnd(producer, clickhouse, environment, settings);
  await quiet();
  await producer.disconnect();
}

/** A service that processes no record for this time while it has a lag is stuck. */
const stuckAfterMs = 180_000;

async function untilQuietOrStuck(options: QuiescenceOptions, broken: AbortSignal): Promise<void> {
  const stuck = new AbortController();
  let seen = '';
  let sinceMs = Date.now();
  await waitUntilQuiet({
    ...options,
    signal: AbortSignal.any([broken, stuck.signal]),
    onWaiting(service, lag) {
      if (`${service} ${lag}` !== seen) [seen, sinceMs] = [`${service} ${lag}`, Date.now()];
      if (Date.now() - sinceMs > stuckAfterMs)
        stuck.abort(
          new Error(
            `${service} has a lag of ${lag} records and has processed none for ${stuckAfterMs / 1000} s`,
          ),
        );
    },
  });
}

/**
 * Returns all records of the topics that producers write, those of each partition in the order of
 * their offsets.
 */
async function recordsOf({ environment, kafka, admin }: ChaosInstallation): Promise<KafkaRecord[]> {
  const all: KafkaRecord[] = [];
  for (const topic of producersTopics)
    await readTopic(
      kafka,
      admin,
      prefixed(environment, topic),
      async records => void all.push(...records),
    );
  return all;
}

/** Sends the records to another installation and lets the services process them undisturbed. */
async function replayUndisturbed(
  calm: ChaosInstallation,
  records: readonly KafkaRecord[],
  folder: string,
): Promise<void> {
  const producer = await connectProducer(calm.kafka);
  for (const topic of [topics.predictions, topics.feedback]) {
    const ofTopic = records.filter(
      record => record.topic.endsWith(`-${topic}`) && !record.setAside,
    );
    for (let start = 0; start < ofTopic.length; start += recordsPerSend) {
      const messages = ofTopic.slice(start, start + recordsPerSend);
      await producer.send({
        topic: prefixed(calm.environment, topic),
        messages: messages.map(({ key, value, headers, partition }) => ({
          key,
          value,
          headers: headers as IHeaders,
          partition,
        })),
      });
    }
  }
  await producer.disconnect();
  const fleet = startFleet(undisturbedServices, calm.variables, folder);
  try {
    await Promise.all(undisturbedServices.map(service => fleet.add(service)));
    await untilProcessed(calm, undisturbedServices, fleet.broken);
  } finally {
    await fleet.stop();
  }
}

/** Returns the contract as a plain avsc type, without what the services add for speed. */
function plainType(contract: string): avro.Type {
  return avro.Type.forSchema(contractType(contract).schema({ exportAttrs: true }));
}

async function compareWithOracle(
  { environment, clickhouse, settings }: ChaosInstallation,
  records: readonly KafkaRecord[],
): Promise<{ expected: Map<string, Rows>; differences: string[] }> {
  const { windowSizeMs, outOfOrdernessMs, gracePeriodMs } = settings.of(modelToTrain);
  const [plainPrediction, plainFeedback] = [plainType('Prediction'), plainType('Feedback')];
  const decode = {
    prediction: (value: Buffer): Prediction =>
      plainPrediction.fromBuffer(value.subarray(wireHeaderBytes)),
    feedback: (value: Buffer): Feedback =>
      plainFeedback.fromBuffer(value.subarray(wireHeaderBytes)),
  };
  const ofTopic = (topic: string) =>
    records.filter(record => record.topic === prefixed(environment, topic));
  const expected = oracle(
    ofTopic(topics.predictions),
    ofTopic(topics.feedback),
    ofTopic(topics.retrainRequests),
    decode,
    { windowSizeMs, outOfOrdernessMs, gracePeriodMs },
  );
  const found: string[] = [];
  for (const table of oracleTables)
    found.push(...differences(table, expected[table], await storedRows(clickhouse, table)));
  return { expected: new Map(Object.entries(expected)), differences: found };
}

/** Returns a line for each partition that a service has not read to its end. */
async function lagging({ admin, environment }: ChaosInstallation): Promise<string[]> {
  const found: string[] = [];
  for (const service of services)
    for (const { topic, partition, lag } of await groupLag(admin, environment, service))
      if (lag > 0)
        found.push(`lag: ${service} has not processed ${lag} records of ${topic}/${partition}`);
  return found;
}

// A service that serves a model, as a user of Driftloop would write one. It logs its predictions to
// Kafka, and the truth when that is known. It serves the champion that Driftloop names, and logs
// beside it what the challenger would have answered. It needs Kafka, the schema registry and the
// folders of the models:
//   export KAFKA_BROKERS=127.0.0.1:9092 SCHEMA_REGISTRY_URL=http://127.0.0.1:8081/apis/ccompat/v7
//   npx node examples/electricity/scorer.ts
// A real scorer would not do two things: replay the past, and keep version 1 to compare with it.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import kafkajs from 'kafkajs';
import { waitUntilQuiet } from '../../infra/kafka/quiescence.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { wantedServices } from '../../services/shared/kafka/serviceFlow.ts';
import { type ModelOutput, predict } from '../../services/shared/model/model.ts';
import { loadModel } from '../../services/shared/model/modelArtifact.ts';
import { trainModel } from '../../services/shared/model/trainModel.ts';
import { followAliases, type NamedVersion } from './followAliases.ts';
import { featureNames, type HalfHour, readMarket } from './readMarket.ts';
import type { QuarterScore, ScorerLine } from './scorerLine.ts';

const model = 'nsw-price-direction';
const dayMs = 86_400_000;
const trainingMs = 12 * 7 * dayMs;
/**
 * Length of the steps of the replay. Like the windows of Driftloop they are aligned to the epoch.
 */
const stepMs = 7 * dayMs;
/** Time from a prediction until the truth is known. */
const labelDelayMs = dayMs;

interface ServedModel {
  version: string;
  predict(rows: HalfHour['features'][]): Promise<ModelOutput[]>;
}

/** Half-hours from one time up to, but not including, another. */
interface Step {
  fromMs: number;
  untilMs: number;
  halfHours: HalfHour[];
}

const environment = readEnvironment();
const kafka = new kafkajs.Kafka({
  brokers: environment.KAFKA_BROKERS.split(','),
  logLevel: kafkajs.logLevel.WARN,
});
const registry = new SchemaRegistry({ host: environment.SCHEMA_REGISTRY_URL });
const producer = kafka.producer({
  idempotent: true,
  createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
});
const admin = kafka.admin();
await Promise.all([producer.connect(), admin.connect()]);
const aliases = await followAliases(kafka, registry, model);

const market = readMarket();
const servedFromMs = Math.ceil((market[0]!.timeMs + trainingMs) / stepMs) * stepMs;
const versionOne = await trainVersionOne(market.filter(({ timeMs }) => timeMs < servedFromMs));
let served = versionOne;
/** Answers beside it, to be compared with it; null if there is none. */
let challenger: ServedModel | null = null;
const unlabelled: HalfHour[] = [];
const scores: QuarterScore[] = [];
for (const step of stepsFrom(servedFromMs)) {
  await serveStep(step);
  await followAfter(step);
}
await sendLabels(unlabelled);
say({ event: 'quarter', ...scores.at(-1)! });
say({ event: 'finished' });
await Promise.all([aliases.stop(), producer.disconnect(), admin.disconnect()]);

async function trainVersionOne(rows: HalfHour[]): Promise<ServedModel> {
  const labelled = (part: HalfHour[]) => ({
    features: part.map(({ features }) => features),
    labels: part.map(({ label }) => label),
  });
  const selectFrom = Math.floor(rows.length * 0.8);
  const network = await trainModel({
    task: 'binary',
    classes: ['DOWN', 'UP'],
    features: featureNames,
    train: labelled(rows.slice(0, selectFrom)),
    select: labelled(rows.slice(selectFrom)),
    seed: 1,
  });
  const [first, last] = [rows[0]!, rows.at(-1)!];
  say({
    event: 'trained',
    model,
    version: '1',
    rows: rows.length,
    from: iso(first.timeMs),
    to: iso(last.timeMs),
  });
  return { version: '1', predict: features => predict(network, features) };
}

function* stepsFrom(startMs: number): Generator<Step> {
  const endMs = market.at(-1)!.timeMs;
  for (let fromMs = startMs; fromMs <= endMs; fromMs += stepMs) {
    const untilMs = fromMs + stepMs;
    yield {
      fromMs,
      untilMs,
      halfHours: market.filter(({ timeMs }) => timeMs >= fromMs && timeMs < untilMs),
    };
  }
}

/**
 * Sends the labels that have become known, then serves the half-hours of a step. Driftloop
 * processes the labels before the predictions come, so that each run of the replay tells the same
 * story.
 */
async function serveStep({ halfHours, fromMs, untilMs }: Step): Promise<void> {
  const stillUnknown = unlabelled.findIndex(({ timeMs }) => timeMs + labelDelayMs > fromMs);
  const known = unlabelled.splice(0, stillUnknown === -1 ? unlabelled.length : stillUnknown);
  await sendLabels(known);

  const rows = halfHours.map(({ features }) => features);
  const outputs = await served.predict(rows);
  const alone = served === versionOne ? outputs : await versionOne.predict(rows);
  const inShadow = challenger === null ? [] : await challenger.predict(rows);
  await send('predictions', [
    ...halfHours.map(({ timeMs, features }, index) => ({
      ...logged(timeMs, served, outputs[index]!),
      features,
    })),
    // The id leads to the features of what was served.
    ...inShadow.map((output, index) => ({
      ...logged(halfHours[index]!.timeMs, challenger!, output),
      features: {},
      shadow: true,
    })),
  ]);
  unlabelled.push(...halfHours);
  for (const [index, halfHour] of halfHours.entries())
    countScore(halfHour, outputs[index]!, alone[index]!);
  say({
    event: 'stepped',
    until: iso(untilMs),
    version: served.version,
    predictions: rows.length,
    labels: known.length,
  });
}

function logged(timeMs: number, { version }: ServedModel, { prediction, score }: ModelOutput) {
  return { id: predictionId(timeMs), model, version, time: timeMs, prediction, score };
}

async function sendLabels(halfHours: HalfHour[]): Promise<void> {
  await send(
    'feedback',
    halfHours.map(({ timeMs, label }) => ({
      id: predictionId(timeMs),
      label,
      time: timeMs + labelDelayMs,
      model,
    })),
  );
}

/**
 * Sends records in Avro, with the schema that Driftloop has registered for the topic, and waits
 * until Driftloop has processed them.
 */
async function send(topic: string, records: { id: string }[]): Promise<void> {
  const schemaId = await registry.getLatestSchemaId(`${topic}-value`);
  const messages = await Promise.all(
    records.map(async record => ({
      key: record.id,
      value: await registry.encode(schemaId, record),
    })),
  );
  if (messages.length > 0) await producer.send({ topic, messages });
  await untilProcessed();
}

/** Serves the champion from now on, and lets the challenger answer beside it. */
async function followAfter({ untilMs }: Step): Promise<void> {
  const latest = await aliases.latest();
  const from = served.version;
  served = (await modelOf(latest.champion, served)) ?? versionOne;
  if (served.version !== from)
    say({ event: 'switched', from, to: served.version, at: iso(untilMs) });
  challenger = await modelOf(latest.challenger, challenger);
}

/**
 * Returns the model that an alias names, which is loaded from its folder, or null if there is none.
 * After a rollback that may be version 1, which this service has trained itself.
 * @param present is kept if it is that version
 */
async function modelOf(
  named: NamedVersion | null,
  present: ServedModel | null,
): Promise<ServedModel | null> {
  if (named === null || named.version === null) return null;
  const { version, artifactUri, artifactChecksum } = named;
  if (version === present?.version) return present;
  if (artifactUri === null || artifactChecksum === null) return versionOne;
  const { predict } = await loadModel(artifactUri, artifactChecksum);
  return { version, predict };
}

/**
 * Waits until Driftloop has processed everything that was sent, including trainings. Otherwise a
 * training would take months of event time, and the story would depend on the speed of the machine.
 */
async function untilProcessed(): Promise<void> {
  let saidAtMs = Date.now();
  const services = wantedServices(environment);
  const onWaiting = (service: string, records: number) => {
    if (Date.now() - saidAtMs < 1000) return;
    saidAtMs = Date.now();
    say({ event: 'waiting', service, records });
  };
  await waitUntilQuiet({ admin, environment, services, onWaiting });
}

function countScore({ timeMs, label }: HalfHour, withLoop: ModelOutput, alone: ModelOutput): void {
  const time = new Date(timeMs);
  const quarter = `${time.getUTCFullYear()}-Q${Math.floor(time.getUTCMonth() / 3) + 1}`;
  const last = scores.at(-1);
  if (last?.quarter !== quarter) {
    if (last) say({ event: 'quarter', ...last });
    scores.push({ quarter, predictions: 0, rightWithLoop: 0, rightAlone: 0 });
  }
  const score = scores.at(-1)!;
  score.predictions++;
  if (withLoop.prediction === label) score.rightWithLoop++;
  if (alone.prediction === label) score.rightAlone++;
}

function predictionId(timeMs: number): string {
  return `nsw-${iso(timeMs)}`;
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function say(line: ScorerLine): void {
  console.log(JSON.stringify(line));
}

import { join } from 'node:path';
import { waitUntilQuiet } from '../../infra/kafka/quiescence.ts';
import { startLoop } from '../../infra/local/loop/startLoop.ts';
import type { LocalStackPorts } from '../../infra/local/processes/localStackPorts.ts';
import { type Clickhouse, connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import { dayMs } from '../../services/shared/duration.ts';
import {
  connectKafka,
  connectProducer,
  type KafkaAdmin,
  type KafkaProducer,
  sendRecords,
} from '../../services/shared/kafka/kafka.ts';
import { wantedServices } from '../../services/shared/kafka/serviceFlow.ts';
import type { Topic } from '../../services/shared/kafka/topics.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { UserError } from '../../services/shared/userError.ts';
import type { Promotion, YearOfModel } from './promises.ts';
import {
  lossOf,
  lossOfConstant,
  mean,
  modelOfDay,
  modelOfLoop,
  type ServedModel,
} from './servedModel.ts';
import { rowsOfDay, type World, type WorldRow } from './worlds.ts';

export interface YearOptions {
  worlds: readonly World[];
  days: number;
  /** Absolute path of an empty folder for data, models and logs. */
  dir: string;
  ports: LocalStackPorts;
  onProgress: (line: string) => void;
  onDay: (day: number, line: string) => void;
}

/** A Monday. */
const firstDayMs = Date.UTC(2025, 0, 6);
/** Rows on which versions are compared when one is promoted, and at the end. */
const rowsOfComparison = 4_000;
/** Services flush often, so that a day does not wait a second in each of them. */
const flushMs = '50';

interface Loop {
  environment: Environment;
  clickhouse: Clickhouse;
  producer: KafkaProducer;
  admin: KafkaAdmin;
  failed: AbortSignal;
}

/** One model on its way through the year. */
interface Course {
  world: World;
  versionOne: ServedModel;
  oracle: ServedModel;
  served: ServedModel;
  losses: { never: number[]; loop: number[]; oracle: number[] };
  promotions: Promotion[];
}

/**
 * Serves the models of the worlds for a year, day by day, and lets the loop mend them: real
 * servers, services and trainings. After each day the clock waits until all of it was processed.
 */
export async function runYear(options: YearOptions): Promise<YearOfModel[]> {
  const { worlds, days, dir, ports, onProgress, onDay } = options;
  const failure = new AbortController();
  const { variables, stop } = await startLoop({
    dir,
    ports,
    variables: {
      DRIFTLOOP_CONFIG: join(import.meta.dirname, 'loop.yaml'),
      DRIFTLOOP_FLUSH_MS: flushMs,
    },
    onProgress,
    onEnd: line => failure.abort(new UserError(line)),
    signal: failure.signal,
  });
  const environment = readEnvironment({ ...process.env, ...variables });
  const kafka = connectKafka(environment, 'quality-loop');
  const admin = kafka.admin();
  await admin.connect();
  const producer = await connectProducer(kafka);
  const clickhouse = connectClickhouse(environment, { retry: false });
  const loop: Loop = { environment, clickhouse, producer, admin, failed: failure.signal };
  try {
    const courses: Course[] = [];
    for (const world of worlds) courses.push(await startCourse(world));
    for (let day = 0; day < days; day++) {
      for (const course of courses) await serveDay(course, day, loop);
      await waitUntilQuiet({
        admin,
        environment,
        services: wantedServices(environment),
        signal: loop.failed,
      });
      for (const course of courses) await followLoop(course, day, loop);
      onDay(day, courses.map(({ world, served }) => `${world.name} ${served.version}`).join(', '));
    }
    return await Promise.all(courses.map(course => summaryOf(course, days, clickhouse)));
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect(), clickhouse.close()]);
    await stop();
  }
}

async function startCourse(world: World): Promise<Course> {
  const versionOne = await modelOfDay(world, 0, '1');
  return {
    world,
    versionOne,
    oracle: versionOne,
    served: versionOne,
    losses: { never: [], loop: [], oracle: [] },
    promotions: [],
  };
}

/** Sends the labels that become known on a day, and then its predictions. */
async function serveDay(course: Course, day: number, { environment, producer }: Loop) {
  const { world, served } = course;
  const send = (topic: Topic, records: { id: string }[]) =>
    sendRecords(
      producer,
      records.map(record => ({
        topic: environment.DRIFTLOOP_TOPIC_PREFIX + topic,
        key: record.id,
        value: Buffer.from(JSON.stringify(record)),
      })),
    );
  if (day > 0 && world.changes.includes(day))
    course.oracle = await modelOfDay(world, day, 'oracle');
  const labelledDay = day - world.labelDelayDays;
  if (labelledDay >= 0 && world.isServed(labelledDay) && world.isLabelled(labelledDay))
    await send(
      topics.feedback,
      rowsOfDay(world, labelledDay).map(({ label }, row) => ({
        id: idOf(world, labelledDay, row),
        model: world.name,
        label,
        time: firstDayMs + day * dayMs,
      })),
    );
  if (!world.isServed(day)) return;
  const rows = rowsOfDay(world, day);
  const logged = rows.map(row => world.logged(day, row));
  const outputs = await served.predict(logged);
  await send(
    topics.predictions,
    rows.map((_, row) => ({
      id: idOf(world, day, row),
      model: world.name,
      version: served.version,
      time: firstDayMs + (day + row / rows.length) * dayMs,
      features: logged[row],
      prediction: outputs[row]!.prediction,
      score: outputs[row]!.score ?? null,
    })),
  );
  const lossesOf = async (model: ServedModel) =>
    lossesOn(world, rows, model === served ? outputs : await model.predict(logged));
  course.losses.loop.push(...(await lossesOf(served)));
  course.losses.never.push(...(await lossesOf(course.versionOne)));
  course.losses.oracle.push(...(await lossesOf(course.oracle)));
}

type Outputs = Awaited<ReturnType<ServedModel['predict']>>;

function lossesOn(world: World, rows: readonly WorldRow[], outputs: Outputs): number[] {
  return rows.map((row, index) => lossOf(world, row, outputs[index]!));
}

function idOf({ name }: World, day: number, row: number): string {
  return `${name}-${day}-${row}`;
}

/** Serves the champion from the next day on. */
async function followLoop(course: Course, day: number, { clickhouse }: Loop): Promise<void> {
  const { world, served, versionOne } = course;
  const [champion] = await clickhouse.select<{ version: string; uri: string; checksum: string }>(
    `SELECT a.version AS version, v.artifact_uri AS uri, v.artifact_checksum AS checksum
     FROM (SELECT * FROM model_aliases FINAL) AS a
     LEFT JOIN (SELECT * FROM model_versions FINAL) AS v USING (model, version)
     WHERE model = {model:String} AND alias = 'champion'`,
    { model: world.name },
  );
  if (champion === undefined || champion.version === served.version) return;
  const { version, uri, checksum } = champion;
  if (version === versionOne.version) {
    course.served = versionOne;
    return;
  }
  const rows = rowsOfDay(world, day + 1, rowsOfComparison, 'comparison');
  const promoted = { day: day + 1, version, lossOfConstant: lossOfConstant(world, rows) };
  const lossOfPredecessor = await meanLoss(world, rows, served);
  const model = await modelOfLoop(version, uri, checksum).catch(error => {
    if (error instanceof UserError) return null;
    throw error;
  });
  const loss = model ? await meanLoss(world, rows, model) : Number.POSITIVE_INFINITY;
  course.promotions.push({ ...promoted, loss, lossOfPredecessor });
  if (model) course.served = model;
}

async function meanLoss(world: World, rows: readonly WorldRow[], model: ServedModel) {
  return mean(lossesOn(world, rows, await model.predict(rows.map(({ features }) => features))));
}

async function summaryOf(
  course: Course,
  days: number,
  clickhouse: Clickhouse,
): Promise<YearOfModel> {
  const { world, losses, promotions, served, oracle } = course;
  const of = { model: world.name };
  const openEvents = await clickhouse.select<{ id: string; cause: string }>(
    `SELECT id, toString(cause) AS cause FROM drift_events FINAL
     WHERE model = {model:String} AND status = 'open' ORDER BY window_start`,
    of,
  );
  const [runs] = await clickhouse.select<{ trainings: number }>(
    `SELECT count() AS trainings FROM training_runs FINAL
     WHERE model = {model:String} AND status NOT IN ('skipped', 'started')`,
    of,
  );
  const rows = rowsOfDay(world, days - 1, rowsOfComparison, 'comparison');
  return {
    world: world.name,
    isMended: world.isMended,
    lossNever: mean(losses.never),
    lossLoop: mean(losses.loop),
    lossOracle: mean(losses.oracle),
    trainings: Number(runs!.trainings),
    promotions,
    openEvents,
    lossAtEnd: await meanLoss(world, rows, served),
    lossOfOracleAtEnd: await meanLoss(world, rows, oracle),
  };
}

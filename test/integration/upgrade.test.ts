import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import { foldAlgorithm } from '../../services/detector/checkpoints/foldAlgorithm.ts';
import {
  connectSchemaRegistry,
  contractType,
  wireHeaderBytes,
} from '../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import type { Alert, DriftEvent } from '../../services/shared/contracts.ts';
import type { KafkaRecord } from '../../services/shared/kafka/kafka.ts';
import { type ContractName, decodeRecord } from '../../services/shared/records/decodeRecord.ts';
import { driftloop } from '../commands.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { uniqueName } from '../uniqueName.ts';
import { driftEvent } from '../unit/detector/driftEventFixture.ts';
import { restoreInstallation } from './upgrade/restoreInstallation.ts';
import {
  type FeedbackLine,
  hourMs,
  hourOfStream,
  oldWindows,
  type PredictionLine,
  recordsPerWindow,
  startMs,
} from './upgrade/stream.ts';

/** What version 0.1.0 has left behind. Its settings file uses names that settings had then. */
const folder = join(import.meta.dirname, 'upgrade', '0.1.0');
const services = ['profiler', 'evaluator', 'detector'] as const;

describe('an installation of version 0.1.0', () => {
  let installation: Installation;
  const tablesOf: Record<'new' | 'upgraded', Table[]> = { new: [], upgraded: [] };
  const told: string[] = [];
  let before: Stored;
  let idle: Stored;
  let after: Stored;
  let algorithmBefore: string;
  let alertsBefore: Alert[];
  /** Retries of the newest predictions. */
  const retries = hourOfStream(oldWindows - 1).predictions;
  /** Two hours, of which the second one is not over yet with `allowedLateness: 10m`. */
  const hours = [oldWindows, oldWindows + 1].map(hourOfStream);
  /** Five minutes of a third hour. */
  const newest = hourOfStream(oldWindows + 2).predictions.slice(0, 5);

  beforeAll(async () => {
    installation = await freshInstallation({ DRIFTLOOP_CONFIG: join(folder, 'settings.yaml') });
    tablesOf.new = await tables();
    await restoreInstallation(installation, folder);
    told.push(await migrate(), await migrate());
    tablesOf.upgraded = await tables();
    before = await stored();
    alertsBefore = await published('alerts', 'Alert');
    algorithmBefore = await algorithm();
    for (const service of services) await installation.startService(service);
    await installation.untilQuiet(...services);
    idle = await stored();
    await send(
      [...retries, ...hours.flatMap(({ predictions }) => predictions), ...newest],
      hours.flatMap(({ feedback }) => feedback),
    );
    after = await stored();
  }, 240_000);
  afterAll(() => installation[Symbol.asyncDispose]());

  interface Table {
    name: string;
    statement: string;
  }
  const select = <Row>(query: string) => installation.clickhouse.select<Row>(query);
  const topic = (name: string) => installation.environment.DRIFTLOOP_TOPIC_PREFIX + name;
  /** Number of the window that starts at a time. */
  const window = (column: string) =>
    `intDiv(toUnixTimestamp64Milli(${column}) - ${startMs}, ${hourMs})`;
  const tables = () =>
    select<Table>(
      `SELECT name, replaceAll(create_table_query, concat(database, '.'), '') AS statement
       FROM system.tables WHERE database = currentDatabase() ORDER BY name`,
    );
  const recordsByWindow = async () => {
    const rows = await select<{ window: number; records: number }>(
      `SELECT ${window('window_start')} AS window, records FROM window_counts`,
    );
    return new Map(rows.map(({ window, records }) => [window, records]));
  };
  const totals = async () => {
    const [row] = await select<Record<string, number>>(
      `SELECT counted, duplicates, late, too_late,
              (SELECT count() FROM predictions FINAL) AS predictions,
              (SELECT count() FROM feedback FINAL) AS feedback,
              (SELECT count() FROM outcomes FINAL) AS outcomes,
              (SELECT sum(labelled) FROM performance_windows FINAL) AS labelled,
              (SELECT count() FROM dead_letters FINAL) AS deadLetters,
              (SELECT count() FROM topic_breaks FINAL) AS topicBreaks
       FROM (SELECT predictions AS counted, duplicates, late, too_late FROM stream_progress FINAL)`,
    );
    return row!;
  };
  const verdicts = () =>
    select<{ window: number; records: number; status: string }>(
      `SELECT ${window('window_start')} AS window, records, toString(status) AS status, reference
       FROM evaluated_windows FINAL ORDER BY window`,
    );
  const events = () =>
    select<{ id: string; status: string; window: number }>(
      `SELECT id, toString(status) AS status, cause, feature, segment, reference,
              ${window('window_start')} AS window
       FROM drift_events FINAL ORDER BY window`,
    );
  const alerts = () =>
    select(
      `SELECT id, toString(state) AS state, severity, drift_event_ids
       FROM alerts FINAL ORDER BY id`,
    );
  const errorsOf = async (start: number) => {
    const [row] = await select<{ errors: number }>(
      `SELECT errors FROM performance_windows FINAL WHERE ${window('window_start')} = ${start}`,
    );
    return row!.errors;
  };
  const algorithm = async () => {
    const [row] = await select<{ algorithm: string }>('SELECT algorithm FROM fold_ledgers FINAL');
    return row!.algorithm;
  };
  type Stored = Awaited<ReturnType<typeof stored>>;
  const stored = async () => ({
    records: await recordsByWindow(),
    totals: await totals(),
    verdicts: await verdicts(),
    events: await events(),
    alerts: await alerts(),
  });

  async function migrate(): Promise<string> {
    const result = await driftloop(installation.variables, 'migrate');
    expect(result.exitCode, result.errors).toBe(0);
    return result.output;
  }

  /** Sends lines to the partition that version 0.1.0 has read, and waits for the services. */
  async function send(
    predictions: readonly PredictionLine[],
    feedback: readonly FeedbackLine[],
  ): Promise<void> {
    const message = (line: PredictionLine | FeedbackLine) => ({
      partition: 0,
      key: line.id,
      value: JSON.stringify(line),
      headers: { 'content-type': 'application/json' },
    });
    const { producer } = installation;
    await producer.send({ topic: topic('predictions'), messages: predictions.map(message) });
    await producer.send({ topic: topic('feedback'), messages: feedback.map(message) });
    await installation.untilQuiet(...services);
  }

  /** Reads what was published, by both versions, as the new version reads it. */
  async function published<Name extends ContractName>(name: string, contract: Name) {
    const { kafka, admin, schemas } = installation;
    const records: KafkaRecord[] = [];
    await readTopic(kafka, admin, topic(name), async part => void records.push(...part));
    const values = records.map(({ value }) => value);
    await schemas.prepare(values.map(value => ({ value, headers: {} })));
    return records.map(record => decodeRecord(record, contract, schemas).value!);
  }

  const isValid = ({ status }: { status: string }) => status !== 'withdrawn';
  const idsOf = (rows: readonly { id: string }[]) => [...new Set(rows.map(({ id }) => id))].sort();

  it('gets the tables that a new installation has', () => {
    const migrations = readdirSync(new URL('../../infra/clickhouse/', import.meta.url))
      .filter(name => name.endsWith('.sql') && name >= '0015')
      .sort();
    expect(told[0]).toBe(migrations.map(name => `applied  ${name}\n`).join(''));
    expect(told[1]).toMatch(/is up to date\n$/);
    expect(tablesOf.upgraded).toEqual(tablesOf.new);
  });

  it('keeps all data when the services start', () => {
    expect(before.totals).toMatchObject({ counted: oldWindows * recordsPerWindow, topicBreaks: 0 });
    const statuses = before.events.map(({ status }) => status).sort();
    expect(statuses).toEqual(['closed', 'open', 'withdrawn']);
    expect(idle).toEqual(before);
  });

  it('counts new records once, and no old one again', () => {
    const fresh = 2 * recordsPerWindow;
    const { counted, predictions, feedback, outcomes, labelled } = before.totals;
    expect(after.totals).toEqual({
      ...before.totals,
      counted: counted! + fresh + newest.length,
      predictions: predictions! + fresh + newest.length,
      feedback: feedback! + fresh,
      outcomes: outcomes! + fresh,
      labelled: labelled! + fresh,
      duplicates: retries.length,
    });
    expect(after.records).toEqual(
      new Map([
        ...before.records,
        [oldWindows, recordsPerWindow],
        [oldWindows + 1, recordsPerWindow],
        [oldWindows + 2, newest.length],
      ]),
    );
  });

  it('judges a new window against the reference that it had', async () => {
    expect(after.verdicts).toEqual([
      ...before.verdicts,
      { window: oldWindows, records: recordsPerWindow, status: 'drift', reference: 'bootstrap' },
    ]);
    const bootstrapRecords = before.verdicts
      .filter(({ status }) => status === 'reference')
      .reduce((total, { records }) => total + records, 0);
    const sizes = await select(
      `SELECT DISTINCT ${window('window_start')} >= ${oldWindows} AS isNew, reference_records
       FROM drift_metrics FINAL WHERE metric = 'psi' ORDER BY isNew`,
    );
    expect(sizes).toEqual([
      { isNew: 0, reference_records: bootstrapRecords },
      { isNew: 1, reference_records: bootstrapRecords },
    ]);
  });

  it('folds the history once more and begins no drift event or alert a second time', async () => {
    expect(algorithmBefore).not.toBe(foldAlgorithm());
    expect(await algorithm()).toBe(foldAlgorithm());
    // Version 0.1.0 closed it at a stable level, at which the model still misses much of a class.
    const withHarmLeft = { window: 33, cause: 'data_drift', status: 'closed' };
    expect(before.events).toContainEqual(expect.objectContaining(withHarmLeft));
    expect(after.events).toEqual(
      before.events.map(event =>
        event.window === withHarmLeft.window && event.status === withHarmLeft.status
          ? { ...event, status: 'open' }
          : event,
      ),
    );
    expect(after.alerts).toEqual(before.alerts);
    const events = await published('drift-events', 'DriftEvent');
    expect(idsOf(events)).toEqual(idsOf(before.events));
    const newestRevisions = new Map(events.map(event => [event.id, event]));
    for (const { id } of before.events.filter(isValid)) {
      const { explanation, scale, evidenceWindowStart } = newestRevisions.get(id)!;
      expect(explanation).toContain('This was first seen from');
      expect([scale, evidenceWindowStart]).not.toContain(null);
    }
    const isOpening = ({ state }: Alert) => state === 'opened';
    const alerts = await published('alerts', 'Alert');
    expect(idsOf(alerts)).toEqual(idsOf(alertsBefore));
    expect(alerts.filter(isOpening)).toEqual(alertsBefore.filter(isOpening));
  });

  it('has the numbers of each old drift event in drift_metrics, and explains them', async () => {
    const valid = idsOf(before.events.filter(isValid));
    const evident = await select<{ id: string }>(
      `SELECT e.id AS id FROM (SELECT * FROM drift_events FINAL WHERE status != 'withdrawn') AS e
       INNER JOIN (SELECT * FROM drift_metrics FINAL) AS m
         ON m.model = e.model AND m.version = e.version AND m.segment = e.segment
         AND m.window_start = e.evidence_window_start
         AND m.feature = ifNull(e.feature, '') AND m.metric = e.metric
       WHERE abs(m.value / e.value - 1) < 1e-9 AND abs(m.threshold / e.threshold - 1) < 1e-9
         AND m.scale = e.scale AND m.family != '' AND m.level > 0`,
    );
    expect(idsOf(evident)).toEqual(valid);
    for (const id of valid) {
      const explained = await driftloop(installation.variables, 'explain', id);
      expect(explained.exitCode, explained.errors).toBe(0);
      expect(explained.output).toContain(`Drift event ${id}`);
    }
  });

  it('judges old windows again when labels are corrected and predictions come late', async () => {
    const corrected = 60;
    const lateIn = 77;
    const start = await stored();
    expect(await errorsOf(corrected)).toBeGreaterThan(0);
    const corrections = hourOfStream(corrected).predictions.map(({ id, prediction, time }) => ({
      id,
      label: prediction,
      time: time + 30 * hourMs,
    }));
    const predictionIn = (window: number) => ({
      ...newest[0]!,
      id: `late-${window}`,
      time: startMs + window * hourMs,
    });
    await send([predictionIn(lateIn), predictionIn(5)], corrections);

    const end = await stored();
    expect(await errorsOf(corrected)).toBe(0);
    expect(end.totals).toEqual({
      ...start.totals,
      counted: start.totals.counted! + 1,
      predictions: start.totals.predictions! + 1,
      late: 1,
      too_late: 1,
      deadLetters: 1,
    });
    const [letter] = await select<{ message: string }>('SELECT message FROM dead_letters FINAL');
    // With `horizon: 2d`.
    expect(letter!.message).toMatch(/at most 2 d are accepted$/);
    expect(end.records).toEqual(new Map([...start.records, [lateIn, recordsPerWindow + 1]]));
    expect(end.verdicts).toEqual(
      start.verdicts.map(verdict =>
        verdict.window === lateIn ? { ...verdict, records: recordsPerWindow + 1 } : verdict,
      ),
    );
    expect(end.events).toEqual(start.events);
    const judgedAgain = await select(
      `SELECT ${window('window_start')} AS window,
              countIf(family != '' AND level > 0) > 0 AS hasNewRows,
              countIf(family = '' AND metric LIKE 'likelihood_ratio%') > 0 AS hasOldRows
       FROM drift_metrics FINAL GROUP BY window HAVING window >= ${corrected} ORDER BY window`,
    );
    const windows = Array.from(
      { length: oldWindows + 1 - corrected },
      (_, index) => corrected + index,
    );
    expect(judgedAgain).toEqual(windows.map(window => ({ window, hasNewRows: 1, hasOldRows: 0 })));
  });
});

it('version 0.1.0 and this one read the drift events of each other', async () => {
  const url = inject('schemaRegistryUrl');
  const name = uniqueName();
  const subject = `${name}-value`;
  const schemas = JSON.parse(readFileSync(join(folder, 'schemas.json'), 'utf8'));
  const registry = new SchemaRegistry({ host: url });
  const schema = JSON.stringify(schemas['drift-events']);
  const { id } = await registry.register({ type: SchemaType.AVRO, schema }, { subject });
  const level = await (await fetch(`${url}/config/${subject}`)).json();
  expect(level).toEqual({ compatibilityLevel: 'BACKWARD' });

  const client = connectSchemaRegistry(readEnvironment({ SCHEMA_REGISTRY_URL: url }));
  const encode = await client.encoder<DriftEvent>('DriftEvent', name);
  const versions = await (await fetch(`${url}/subjects/${subject}/versions`)).json();
  expect(versions).toEqual([1, 2]);

  const oldType = avro.Type.forSchema(schemas['drift-events']);
  const event = { ...driftEvent('a'), revision: 1 };
  const { fields } = oldType as avro.types.RecordType;
  const oldEvent = Object.fromEntries(
    fields.map(({ name }) => [name, event[name as keyof typeof event]]),
  );
  const resolver = oldType.createResolver(avro.Type.forSchema(contractType('DriftEvent').schema()));
  expect(oldType.fromBuffer(encode(event).subarray(wireHeaderBytes), resolver)).toEqual(oldEvent);

  const header = Buffer.alloc(wireHeaderBytes);
  header.writeInt32BE(id, 1);
  const value = Buffer.concat([header, oldType.toBuffer(oldEvent)]);
  await client.prepare([{ value, headers: {} }]);
  const common = { topic: '', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 };
  expect(decodeRecord({ ...common, value }, 'DriftEvent', client).value).toEqual({
    ...event,
    scale: null,
    evidenceWindowStart: null,
  });
});

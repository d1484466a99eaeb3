import { watch } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EachMessagePayload } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectMadeVersion } from '../../bin/versions/artifactQueries.ts';
import { reproduceVersion } from '../../bin/versions/reproduceVersion.ts';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import { installTestPackages } from '../../infra/python/testPackages.ts';
import { datasetHash, readDataset } from '../../services/retrainer/dataset/dataset.ts';
import { answerCause } from '../../services/retrainer/run/trainingRun.ts';
import { retrainerStore } from '../../services/retrainer/store/store.ts';
import { openArtifactStore } from '../../services/shared/artifacts/openArtifactStore.ts';
import { contractType, wireHeaderBytes } from '../../services/shared/avro/schemaRegistry.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type {
  DriftEvent,
  ModelVersion,
  RetrainRequest,
  WindowUpdate,
} from '../../services/shared/contracts.ts';
import { loadModel } from '../../services/shared/model/modelArtifact.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import {
  askForTraining,
  type LoggedRow,
  logRows,
  minuteMs,
  onX,
  rowCount,
  startMs,
} from './logRows.ts';

/** Those of the sample, in the folder of the project. */
const { command: sklearnCommand } = readSettings('examples/sklearn/driftloop.yaml').of(
  'churn',
).retraining;
const sklearnTrainer = fileURLToPath(new URL(`../../${sklearnCommand![1]}`, import.meta.url));
const onnxTrainer = fileURLToPath(new URL('./onnxTrainer.ts', import.meta.url));
/** A clean clone installs Python packages first. */
const installTimeoutMs = 300_000;
const pythonTrainer = fileURLToPath(new URL('./retrainer-trainer.py', import.meta.url));

/**
 * The label says whether x is above 5, reversed in one city. The champion does not know that and
 * mostly answers 'no'.
 */
function learnable(index: number, random: () => number): LoggedRow {
  const x = random() * 10;
  const city = random() < 0.5 ? 'Rome' : 'Oslo';
  return {
    features: {
      x,
      "it's `odd`": index % 7,
      city,
      currency: 'EUR',
      note: random() < 0.1 ? null : random(),
    },
    prediction: random() < 0.2 ? 'yes' : 'no',
    label: x > 5 === (city === 'Rome') ? 'yes' : 'no',
  };
}

describe('retrainer', () => {
  let installation: Installation;
  let retrainer: ServiceProcess;
  let encodeEvent: (event: DriftEvent) => Buffer;
  let encodeRequest: (request: RetrainRequest) => Buffer;
  let encodeUpdate: (update: WindowUpdate) => Buffer;
  beforeAll(async () => {
    const python = join(await installTestPackages(), 'python');
    installation = await freshInstallation();
    /**
     * Returns a trainer that hangs the first time and trains the next time. It leaves a mark, and
     * waits for the end of its standard input. $0 is its folder.
     */
    const hangsOnce = (name: string) => {
      const mark = join(installation.folder, `${name}-hangs`);
      return `if [ -e ${mark} ]; then exec python3 ${pythonTrainer} "$0"; fi; touch ${mark}; cat`;
    };
    const config = join(installation.folder, 'driftloop.yaml');
    await writeFile(
      config,
      `models:
  python: { retraining: { command: [python3, ${JSON.stringify(pythonTrainer)}] } }
  SIGKILL: { retraining: { command: [sh, -c, ${JSON.stringify(hangsOnce('SIGKILL'))}] } }
  SIGTERM: { retraining: { command: [sh, -c, ${JSON.stringify(hangsOnce('SIGTERM'))}] } }
  cutOff: { retraining: { command: [sh, -c, ${JSON.stringify(hangsOnce('cutOff'))}] } }
  regular: { retraining: { everyLabelledRows: 500, cooldown: 1m, command: [python3, ${JSON.stringify(pythonTrainer)}] } }
  neverTrains: { retraining: { command: [python3, -c, "import sys; sys.exit('not yet')"] } }
  sklearn: { retraining: { command: [${python}, ${JSON.stringify(sklearnTrainer)}] } }
  onnx: { retraining: { command: [node, ${JSON.stringify(onnxTrainer)}, honest] } }
  lyingOnnx: { retraining: { command: [node, ${JSON.stringify(onnxTrainer)}, lying] } }
  broken: { retraining: { command: [python3, -c, "import sys; sys.exit('no such table: weights')"] } }
`,
    );
    installation.variables.DRIFTLOOP_CONFIG = config;
    const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
    encodeEvent = await installation.schemas.encoder<DriftEvent>(
      'DriftEvent',
      topic('drift-events'),
    );
    encodeRequest = await installation.schemas.encoder<RetrainRequest>(
      'RetrainRequest',
      topic('retrain-requests'),
    );
    encodeUpdate = await installation.schemas.encoder<WindowUpdate>(
      'WindowUpdate',
      topic('windows'),
    );
    retrainer = await installation.startService('retrainer');
  }, installTimeoutMs);
  afterAll(() => installation[Symbol.asyncDispose]());

  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = () => installation.untilQuiet('retrainer');

  const fill = (
    model: string,
    row: (index: number, random: () => number) => LoggedRow,
    range?: { from?: number; to?: number; version?: string },
  ) => logRows(installation, model, row, range);

  function driftEvent(model: string, fields: Partial<DriftEvent> = {}): DriftEvent {
    return {
      id: `drift of ${model}`,
      revision: 1,
      status: 'open',
      model,
      version: '1',
      segment: '',
      feature: 'x',
      cause: 'concept_drift',
      severity: 'critical',
      windowStart: startMs,
      windowEnd: startMs + minuteMs,
      metric: 'error',
      value: 0.5,
      threshold: 0.1,
      pValue: null,
      records: 1000,
      reference: 'bootstrap',
      contributions: {},
      predictionContributions: {},
      changedValues: null,
      scale: 1,
      evidenceWindowStart: null,
      explanation: 'the error rate rose',
      detectedAtEventTime: startMs + rowCount * minuteMs,
      persistingSince: null,
      endReason: null,
      endedBy: null,
      endedAt: null,
      standing: null,
      ...fields,
    };
  }

  async function drift(event: DriftEvent, atMs = event.detectedAtEventTime): Promise<void> {
    await installation.clickhouse.insert('drift_events', [
      {
        id: event.id,
        revision: event.revision,
        status: event.status,
        model: event.model,
        version: event.version,
        segment: event.segment,
        feature: event.feature,
        cause: event.cause,
        severity: event.severity,
        window_start: new Date(event.windowStart).toISOString(),
        window_end: new Date(event.windowEnd).toISOString(),
        metric: event.metric,
        value: event.value,
        threshold: event.threshold,
        records: event.records,
        reference: event.reference,
        explanation: event.explanation,
        detected_at_event_time: new Date(event.detectedAtEventTime).toISOString(),
      },
    ]);
    await send('drift-events', event.model, encodeEvent(event), {
      ce_time: new Date(atMs).toISOString(),
    });
    await quiet();
  }

  const send = (name: string, key: string, value: Buffer, headers: Record<string, string> = {}) =>
    installation.producer.send({ topic: topic(name), messages: [{ key, value, headers }] });

  async function request(model: string, id: string): Promise<void> {
    await askForTraining(installation, model, id);
    await quiet();
  }

  /** Announces that the labels of the hour with the newest of so many rows have been counted. */
  async function announceLabels(model: string, rows: number): Promise<void> {
    const hourMs = 60 * minuteMs;
    const update: WindowUpdate = {
      kind: 'performance',
      model,
      version: '1',
      sourcePartition: -1,
      watermark: null,
      windowSizeMs: hourMs,
      windowStarts: [startMs + Math.floor(rows / 60) * hourMs],
    };
    await send('windows', model, encodeUpdate(update));
    await quiet();
  }

  /** Trains a version again. @returns how the files differ from those that were published */
  async function madeAgain(model: string, version: string): Promise<string[]> {
    const made = await selectMadeVersion(installation.clickhouse, model, version);
    const settings = readSettings(installation.variables.DRIFTLOOP_CONFIG).of(model);
    return (await reproduceVersion(made!, settings)).differences;
  }

  const runsOf = (model: string) =>
    installation.clickhouse.select<Record<string, unknown> & { status: string; reasons: string[] }>(
      'SELECT * FROM training_runs FINAL WHERE model = {model:String} ORDER BY started_at',
      { model },
    );

  async function publishedVersions(
    model: string,
  ): Promise<{ key: string; headers: Record<string, string>; value: ModelVersion }[]> {
    const consumer = installation.kafka.consumer({
      groupId: `${topic('reader')}-${model}-${Math.random()}`,
    });
    const offsets = await installation.admin.fetchTopicOffsets(topic('model-versions'));
    const expected = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
    const records: { key: string; headers: Record<string, string>; value: ModelVersion }[] = [];
    let seen = 0;
    const enough = Promise.withResolvers<void>();
    if (expected === 0) return [];
    await consumer.connect();
    await consumer.subscribe({ topic: topic('model-versions'), fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessagePayload) => {
        const value = contractType('ModelVersion').fromBuffer(
          message.value!.subarray(wireHeaderBytes),
        ) as ModelVersion;
        const headers = Object.fromEntries(
          Object.entries(message.headers ?? {}).map(([name, text]) => [name, String(text)]),
        );
        if (value.model === model) records.push({ key: String(message.key), headers, value });
        if (++seen === expected) enough.resolve();
      },
    });
    await enough.promise;
    await consumer.disconnect();
    return records;
  }

  it('publishes a better version after a drift, and records every step of its lineage', async () => {
    await fill('learnable', learnable);
    await drift(driftEvent('learnable'));

    const lineage = await installation.clickhouse.select<Record<string, string>>(
      "SELECT * FROM lineage WHERE model = 'learnable'",
    );
    expect(lineage).toHaveLength(1);
    const [row] = lineage;
    expect(row).toMatchObject({
      cause_type: 'drift_event',
      cause_id: 'drift of learnable',
      drift_cause: 'concept_drift',
      drifted_version: '1',
      run_status: 'approved',
      champion_version: '1',
      version: '2',
      version_status: 'approved',
      dataset_rows: rowCount,
      prediction_positions: [{ partition: 0, first: 0, last: rowCount - 1 }],
      version_state: 'champion',
      artifact_removed_at: null,
    });

    const published = await publishedVersions('learnable');
    expect(published.map(({ value }) => [value.status, value.state])).toEqual([
      ['candidate', 'candidate'],
      ['approved', 'approved'],
      ['approved', 'champion'],
    ]);
    expect(new Set(published.map(({ key }) => key))).toEqual(new Set(['learnable:2']));
    expect(new Set(published.map(({ headers }) => headers.ce_id)).size).toBe(3);
    expect(published[1]!.headers).toMatchObject({
      ce_type: 'io.driftloop.model-version',
      ce_subject: 'learnable:2',
    });
    const approved = published[1]!.value;
    expect(approved.reasons).toContainEqual(
      expect.stringMatching(
        /^Comparison: passed\. On the same 300 rows, the challenger's error rate is 0\.\d+ and the champion's is 0\.\d+\./,
      ),
    );
    expect(approved.reasons).toContain(
      'Feature currency was left out, because it is constant in the training rows.',
    );
    expect(approved.metrics.intervalLow).toBeGreaterThan(0);
    expect(approved.metrics.challengerLoss).toBeLessThan(0.1);

    const model = await loadModel(approved.artifactUri, approved.artifactChecksum);
    expect(model.manifest).toMatchObject({
      task: 'binary',
      classes: ['no', 'yes'],
      datasetId: approved.datasetId,
    });
    const [rome, oslo] = await model.predict([
      { x: 9, city: 'Rome' },
      { x: 9, city: 'Oslo' },
    ]);
    expect([rome!.prediction, oslo!.prediction]).toEqual(['yes', 'no']);
    model.dispose();

    expect(await madeAgain('learnable', '2')).toEqual([]);

    const [dataset] = await installation.clickhouse.select<{
      uri: string;
      features: string[];
      gate_rows: number;
    }>('SELECT uri, features, gate_rows FROM datasets FINAL WHERE id = {id:String}', {
      id: approved.datasetId,
    });
    expect(dataset).toMatchObject({
      features: ['city', "it's `odd`", 'note', 'x'],
      gate_rows: 300,
    });
    const frozen = await readDataset(fileURLToPath(dataset!.uri));
    expect(datasetHash(frozen)).toBe(approved.datasetId);
    expect(frozen[7]).toMatchObject({
      id: 'p7',
      eventTimeMs: startMs + 7 * minuteMs,
      version: '1',
      features: { currency: 'EUR', "it's `odd`": 0 },
    });

    const reference = await installation.clickhouse.select<{
      feature: string;
      parts: number;
      records: number;
    }>(
      `SELECT feature, count() AS parts, sum(count) AS records FROM reference_profiles FINAL
       WHERE model = 'learnable' AND version = '2' AND source = 'training' AND reference_id = {id:String} GROUP BY feature ORDER BY feature`,
      { id: approved.referenceId },
    );
    expect(reference.map(({ feature }) => feature)).toEqual([
      'city',
      'currency',
      "it's `odd`",
      'note',
      'prediction',
      'score',
      'x',
    ]);
    for (const { parts, records } of reference) {
      expect(parts).toBeGreaterThanOrEqual(10);
      expect(records).toBe(1400);
    }
  });

  it('runs once per drift, however often it is delivered, and skips the next drift within the cooldown', async () => {
    await drift(driftEvent('learnable'));
    await drift(driftEvent('learnable', { revision: 2, value: 0.6 }));
    await drift(driftEvent('learnable', { revision: 3, status: 'closed' }));
    expect(await runsOf('learnable')).toHaveLength(1);
    expect(await publishedVersions('learnable')).toHaveLength(3);

    await drift(driftEvent('learnable', { id: 'soon after' }));
    const [, second] = await runsOf('learnable');
    expect(second).toMatchObject({
      status: 'skipped',
      reasons: [expect.stringMatching(/^The cooldown is not over /)],
    });
  });

  it('trains on request in spite of the cooldown, and makes the same model from the same data under a new name', async () => {
    await request('learnable', 'by hand');
    const published = (await publishedVersions('learnable')).map(({ value }) => value);
    expect(published.map(({ version, state }) => `${version} ${state}`)).toEqual([
      '2 candidate',
      '2 approved',
      '2 champion',
      '3 candidate',
      '2 superseded',
      '3 approved',
      '3 champion',
    ]);
    expect(published.at(-1)).toMatchObject({
      causeType: 'manual',
      causeId: 'by hand',
      artifactChecksum: published[1]!.artifactChecksum,
      datasetId: published[1]!.datasetId,
    });
  });

  it('takes up a skipped drift when the drift goes on', async () => {
    const event = driftEvent('learnable', { id: 'soon after' });
    await drift({ ...event, revision: 2 }, event.detectedAtEventTime + 30 * 86_400_000);
    const runs = (await runsOf('learnable')).filter(({ cause_id }) => cause_id === 'soon after');
    expect(runs).toMatchObject([{ status: 'approved', candidate_version: '4' }]);
  });

  const changedAt = 1800;
  /** The label says whether x is above 5, and the opposite from row 1,800 on. The champion knows not. */
  function reversed(index: number, random: () => number): LoggedRow {
    const x = random() * 10;
    const label = x > 5 === index < changedAt;
    return {
      features: { x, y: random() },
      prediction: x > 5 ? 'yes' : 'no',
      label: label ? 'yes' : 'no',
    };
  }
  const stepOf = (model: string) =>
    driftEvent(model, {
      windowStart: startMs + changedAt * minuteMs,
      detectedAtEventTime: startMs + (changedAt + 60) * minuteMs,
    });

  it('takes a drift up when enough labels of the time since then are there, until it is mended', async () => {
    await fill('step', reversed, { to: changedAt + 100 });
    await drift(stepOf('step'));
    expect(await runsOf('step')).toMatchObject([
      {
        status: 'skipped',
        rows_since_change: 0,
        reasons: [expect.stringMatching(/, 100 labelled rows of .* but at least 200 are needed /)],
      },
    ]);
    await announceLabels('step', changedAt + 100);
    expect(await runsOf('step')).toMatchObject([{ status: 'skipped' }]);

    await fill('step', reversed, { from: changedAt + 100, to: changedAt + 260 });
    // The new level is stable, but bad.
    await drift({ ...stepOf('step'), revision: 2, status: 'closed' });
    await announceLabels('step', changedAt + 260);
    const [run] = await runsOf('step');
    expect(run).toMatchObject({
      status: 'approved',
      candidate_version: '2',
      rows_since_change: 260,
    });
    expect(run!.reasons).toContainEqual(
      expect.stringMatching(/^Rows: the candidate was trained on the rows since the change\. /),
    );

    await fill('step', reversed, { from: changedAt + 260, to: changedAt + 3400 });
    await announceLabels('step', changedAt + 3400);
    expect(await runsOf('step')).toHaveLength(1);
  });

  it('takes a drift up again with twice the rows as long as no version mends it', async () => {
    const tried = async () =>
      (await runsOf('neverTrains')).map(({ status, rows_since_change }) => [
        status,
        rows_since_change,
      ]);
    let logged = 0;
    const upTo = async (rows: number) => {
      await fill('neverTrains', reversed, { from: logged, to: changedAt + rows });
      logged = changedAt + rows;
      await announceLabels('neverTrains', logged);
      // Nothing depends on how often labels are announced.
      await announceLabels('neverTrains', logged);
    };
    await upTo(200);
    expect(await tried(), 'no drift is known').toEqual([]);
    await drift(stepOf('neverTrains'));
    await upTo(399);
    expect(await tried()).toEqual([['failed', 200]]);
    await upTo(400);
    await upTo(799);
    retrainer.kill();
    retrainer = await installation.startService('retrainer');
    await upTo(900);
    expect(await tried()).toEqual([
      ['failed', 200],
      ['failed', 400],
      ['failed', 900],
    ]);
    await upTo(1_599);
    await drift({ ...stepOf('neverTrains'), revision: 2, status: 'withdrawn' });
    await upTo(1_700);
    expect(await tried()).toHaveLength(3);
  });

  it('improves the version that a drift has made until it is as good as the one before', async () => {
    const window = (version: string, from: number, to: number, errorRate: number) =>
      installation.clickhouse.insert('performance_windows', [
        {
          model: 'improving',
          version,
          segment: '',
          window_start: new Date(startMs + from * minuteMs).toISOString(),
          window_end: new Date(startMs + to * minuteMs).toISOString(),
          task: 'binary',
          predictions: to - from,
          labelled: to - from,
          // By their weights the rows count twice.
          weight: 2 * (to - from),
          loss_sum: 2 * errorRate * (to - from),
          progress: to,
        },
      ]);
    const tried = async () =>
      (await runsOf('improving')).map(({ status, candidate_version, rows_since_change }) => [
        status,
        candidate_version,
        rows_since_change,
      ]);
    await window('1', 0, changedAt, 0.05);
    await fill('improving', reversed, { to: changedAt + 260 });
    await drift(stepOf('improving'));
    expect(await tried()).toEqual([['approved', '2', 260]]);

    // Every third answer of version 2 is wrong.
    const inPart = (index: number, random: () => number): LoggedRow => {
      const row = reversed(index, random);
      return index % 3 === 0 ? row : { ...row, prediction: row.label };
    };
    const more = { from: changedAt + 260, to: changedAt + 1_800, version: '2' };
    await fill('improving', inPart, more);
    await announceLabels('improving', more.to);
    expect(await tried(), 'how good version 2 is, is not known').toHaveLength(1);
    await window('2', more.from, more.to, 0.33);
    await announceLabels('improving', more.to);
    expect(await tried()).toEqual([
      ['approved', '2', 260],
      ['approved', '3', 1_800],
    ]);

    const last = { from: more.to, to: changedAt + 3_400, version: '3' };
    await fill('improving', inPart, last);
    await window('3', last.from, last.to, 0.06);
    await announceLabels('improving', last.to);
    expect(await tried()).toHaveLength(2);
  });

  it('goes on with a drift whose training was cut off', async () => {
    await fill('cutOff', reversed, { to: changedAt + 100 });
    await drift(stepOf('cutOff'));
    await fill('cutOff', reversed, { from: changedAt + 100, to: changedAt + 300 });
    const hanging = Promise.withResolvers<void>();
    const watcher = watch(
      installation.folder,
      (_, name) => name === 'cutOff-hangs' && hanging.resolve(),
    );
    const announced = announceLabels('cutOff', changedAt + 300);
    await hanging.promise;
    watcher.close();
    retrainer.kill();
    retrainer = await installation.startService('retrainer');
    await announced;
    expect(await runsOf('cutOff')).toMatchObject([
      { status: expect.stringMatching(/^(approved|rejected)$/), rows_since_change: 300 },
    ]);
  });

  it('trains whenever so many labelled rows have come as the settings say', async () => {
    const causes = async () =>
      (await runsOf('regular')).map(({ cause_type, cause_id }) => `${cause_type}: ${cause_id}`);
    await fill('regular', onX, { to: 499 });
    await announceLabels('regular', 499);
    expect(await causes()).toEqual([]);
    await fill('regular', onX, { from: 499, to: 800 });
    await announceLabels('regular', 800);
    await announceLabels('regular', 800);
    const first = 'schedule: everyLabelledRows 500 1 after 2026-01-01T00:00:00.000Z';
    expect(await causes()).toEqual([first]);
    await fill('regular', onX, { from: 800, to: 1300 });
    await announceLabels('regular', 1300);
    // The newest row of the first training was row 799.
    expect(await causes()).toEqual([
      first,
      'schedule: everyLabelledRows 500 1 after 2026-01-01T13:19:00.000Z',
    ]);
  });

  it('serves a challenger in shadow that is perhaps no better', async () => {
    await fill('good', (index, random) => {
      const row = learnable(index, random);
      return { ...row, prediction: row.label };
    });
    await drift(driftEvent('good', { cause: 'data_drift' }));
    const [run] = await runsOf('good');
    expect(run).toMatchObject({ status: 'rejected', candidate_version: '2' });
    expect(run!.reasons.slice(0, 2)).toEqual([
      expect.stringMatching(/^Comparison: inconclusive\. /),
      expect.stringMatching(/^Verdict: inconclusive\. /),
    ]);
    expect((await publishedVersions('good')).map(({ value }) => value.state)).toEqual([
      'candidate',
      'shadow',
    ]);
  });

  it('does not train on broken data, and says what is broken', async () => {
    await fill('corrupt', (index, random) => {
      const row = learnable(index, random);
      return index < 1600 ? row : { ...row, features: { ...row.features, x: null, city: 3 } };
    });
    await drift(driftEvent('corrupt'));
    const [run] = await runsOf('corrupt');
    expect(run).toMatchObject({ status: 'skipped', dataset_id: '', candidate_version: '' });
    expect(run!.reasons).toEqual([
      expect.stringMatching(
        /^Feature city looks broken: 100 % of its values have the wrong type in the \d+ rows from .*, and 0 % in the older rows\.$/,
      ),
      expect.stringMatching(
        /^Feature x looks broken: 100 % of its values are missing in the \d+ rows from .*, and 0 % in the older rows\.$/,
      ),
    ]);
    expect(await publishedVersions('corrupt')).toEqual([]);
    // What did not happen is shown as unknown, not as a candidate of 1970.
    const [lineage] = await installation.clickhouse.select(
      "SELECT * FROM lineage WHERE model = 'corrupt'",
    );
    expect(lineage).toMatchObject({
      run_status: 'skipped',
      drift_cause: 'concept_drift',
      prediction_positions: [],
      dataset_id: null,
      version: null,
      artifact_uri: null,
      version_status: null,
      version_state: null,
      version_state_since: null,
      dataset_rows: null,
      dataset_from: null,
      dataset_to: null,
    });

    await drift(driftEvent('corrupt', { id: 'bad data', cause: 'data_quality' }));
    expect((await runsOf('corrupt'))[1]).toMatchObject({
      status: 'skipped',
      reasons: [expect.stringMatching(/^The cause of the drift is data_quality\. /)],
    });
    await drift(driftEvent('nobody'));
    expect(await runsOf('nobody')).toMatchObject([
      { status: 'skipped', reasons: ['No predictions of this model are known.'] },
    ]);
  });

  it('does not train where no class of the predictions is a class of the labels', async () => {
    await fill('disjoint', (index, random) => {
      const row = learnable(index, random);
      return { ...row, prediction: row.label === 'yes' ? 'approve' : 'decline' };
    });
    await drift(driftEvent('disjoint'));
    expect(await runsOf('disjoint')).toMatchObject([
      {
        status: 'skipped',
        reasons: [
          expect.stringMatching(
            /^The predictions of the champion, version 1, cannot be compared with labels\. .* nothing in common\. /,
          ),
        ],
      },
    ]);
  });

  it('compares champion and challenger by one spelling of each class', async () => {
    // The champion is always right, and one label in a hundred is no class.
    await fill('spelled', (index, random) => {
      const row = learnable(index, random);
      const isYes = row.label === 'yes';
      const label = index % 100 === 3 ? 'N/A' : isYes ? ['yes', 'Yes '][index % 2]! : 'no';
      return { ...row, prediction: isYes ? 'true' : 'false', label };
    });
    await drift(driftEvent('spelled'));
    const [run] = await runsOf('spelled');
    expect(run).toMatchObject({ status: 'rejected', metrics: { championLoss: 0 } });
    const [dataset] = await installation.clickhouse.select<{ rows: number; task: string }>(
      "SELECT rows, toString(task) AS task FROM datasets FINAL WHERE model = 'spelled'",
    );
    expect(dataset).toEqual({ rows: rowCount - rowCount / 100, task: 'binary' });
  });

  it('runs the command of a trainer in Python', async () => {
    await fill('python', onX);
    await request('python', 'python please');
    const [run] = await runsOf('python');
    expect(run).toMatchObject({
      status: 'approved',
      candidate_version: '2',
      trainer: expect.stringMatching(/^python3 .*\.py@sha256:[0-9a-f]{12}$/),
    });
    const approved = (await publishedVersions('python')).at(-1)!.value;
    const rule = JSON.parse(
      await readFile(join(fileURLToPath(approved.artifactUri), 'rule.json'), 'utf8'),
    );
    expect(rule.feature).toBe('x');
    expect(rule.threshold).toBeGreaterThan(4.9);
    expect(rule.threshold).toBeLessThan(5.1);
  });

  it('promotes what the sample with scikit-learn has learned, and makes it again', async () => {
    await fill('sklearn', learnable);
    await request('sklearn', 'scikit-learn please');
    const [run] = await runsOf('sklearn');
    expect(run, run!.reasons.join()).toMatchObject({ status: 'approved', candidate_version: '2' });
    const approved = (await publishedVersions('sklearn')).at(-1)!.value;
    expect(approved.metrics.challengerLoss).toBeLessThan(0.1);
    expect(await readdir(fileURLToPath(approved.artifactUri))).toEqual(['model.joblib']);
    expect(await madeAgain('sklearn', '2')).toEqual([]);
  });

  it('judges what an ONNX model itself answers, if that is what its trainer says', async () => {
    const inCities = (_: number, random: () => number): LoggedRow => {
      const { features, ...row } = learnable(0, random);
      return { ...row, features: { x: features.x!, city: features.city! } };
    };
    for (const model of ['onnx', 'lyingOnnx']) {
      await fill(model, inCities);
      await request(model, 'please');
    }
    const [run] = await runsOf('onnx');
    expect(run, run!.reasons.join()).toMatchObject({ status: 'approved' });
    // The trainer has left no scores, but the model has them.
    expect(
      await installation.clickhouse.select(
        "SELECT DISTINCT feature FROM reference_profiles WHERE model = 'onnx' AND version = '2'",
      ),
    ).toContainEqual({ feature: 'score' });
    expect(await runsOf('lyingOnnx')).toMatchObject([
      {
        status: 'failed',
        reasons: [
          expect.stringMatching(
            /^model\.onnx answers otherwise than predictions\.jsonl to 2000 of 2000 rows, the first of them row 0: /,
          ),
        ],
      },
    ]);
  });

  it('publishes why a training failed, and goes on to the next request', async () => {
    await fill('broken', learnable);
    await request('broken', 'try this');
    expect(await runsOf('broken')).toMatchObject([
      {
        status: 'failed',
        reasons: ['The trainer ended with exit code 1. Its last lines: no such table: weights'],
      },
    ]);

    await writeFile(
      join(installation.environment.DRIFTLOOP_ARTIFACTS, 'nofolder'),
      'a file where a folder is wanted',
    );
    await fill('nofolder', learnable);
    await request('nofolder', 'no place');
    expect(await runsOf('nofolder')).toMatchObject([
      {
        status: 'failed',
        reasons: [
          expect.stringMatching(
            /^The folder of artifacts cannot be used \(DRIFTLOOP_ARTIFACTS\): ENOTDIR: /,
          ),
        ],
      },
    ]);

    await request('learnable', 'after the failures');
    expect((await runsOf('learnable')).at(-1)).toMatchObject({
      status: 'approved',
      candidate_version: '5',
    });
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('repeats a run that was cut off by %s', async signal => {
    await fill(signal, onX);
    const hanging = Promise.withResolvers<void>();
    const watcher = watch(
      installation.folder,
      (_, name) => name === `${signal}-hangs` && hanging.resolve(),
    );
    const sent = encodeRequest({
      id: signal,
      model: signal,
      reason: 'manual',
      requestedBy: 'test',
      time: startMs,
    });
    await send('retrain-requests', signal, sent);
    await hanging.promise;
    watcher.close();
    expect((await runsOf(signal)).at(-1)).toMatchObject({ status: 'started', finished_at: null });
    if (signal === 'SIGKILL') retrainer.kill();
    else {
      await retrainer.stop();
      const log = await readFile(
        join(installation.folder, `retrainer-${new URL(retrainer.healthUrl).port}.log`),
        'utf8',
      );
      expect(log.trimEnd().split('\n').at(-1)).toContain('"msg":"stopped"');
    }
    retrainer = await installation.startService('retrainer');
    await quiet();
    const runs = await runsOf(signal);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ status: 'approved', candidate_version: '2' });
    const attempts = join(installation.environment.DRIFTLOOP_ARTIFACTS, signal, 'runs');
    expect(await readdir(attempts)).toEqual([]);

    // Leave what remains if the process was killed just after it had ended the run. The request is
    // delivered again.
    await mkdir(join(attempts, `${runs[0]!.id}-left`));
    await send('retrain-requests', signal, sent);
    await quiet();
    expect(await runsOf(signal)).toHaveLength(1);
    expect(await readdir(attempts)).toEqual([]);
  });

  it('makes two versions for two simultaneous causes, but one version for a cause that two processes handle', async () => {
    await fill('replicas', onX);
    const begun = join(installation.folder, 'begun');
    // Every model is different, so that two contents of one version would show.
    const train = `python3 ${pythonTrainer} "$0" && echo $$ > "$0/output/model/made-by"`;
    const whenBothHaveBegun = `touch ${begun}-$$; while [ "$(ls ${begun}-* | wc -l)" -lt 2 ]; do sleep 0.05; done; ${train}`;
    const submitted: { version: string | null }[] = [];
    const published: ModelVersion[] = [];
    const settings = readSettings(undefined).of('replicas');
    const answer = (id: string, script: string) =>
      answerCause(
        { type: 'manual', id, model: 'replicas' },
        { ...settings, retraining: { ...settings.retraining, command: ['sh', '-c', script] } },
        () => ({ train: true }),
        {
          store: retrainerStore(installation.clickhouse),
          artifacts: openArtifactStore(installation.environment.DRIFTLOOP_ARTIFACTS),
          workFolder: installation.environment.DRIFTLOOP_ARTIFACTS,
          lineage: { namespace: '', kafkaNamespace: '', topics: [] },
          announce: async () => {},
          publish: async version => void published.push(version),
          publishReference: async () => {},
          submit: async request => void submitted.push(request),
          log: pino({ level: 'silent' }),
          signal: new AbortController().signal,
        },
      );
    await Promise.all([answer('one', whenBothHaveBegun), answer('another', whenBothHaveBegun)]);
    expect(submitted.map(({ version }) => version).sort()).toEqual(['2', '3']);

    submitted.length = 0;
    published.length = 0;
    await Promise.all([answer('in two hands', train), answer('in two hands', train)]);
    expect(new Set(submitted.map(request => JSON.stringify(request))).size).toBe(1);
    expect(new Set(published.map(version => JSON.stringify(version))).size).toBe(1);
    const runs = (await runsOf('replicas')).filter(({ cause_id }) => cause_id === 'in two hands');
    expect(runs).toMatchObject([{ status: 'approved', candidate_version: submitted[0]!.version }]);
    expect(
      await readdir(join(installation.environment.DRIFTLOOP_ARTIFACTS, 'replicas', 'versions')),
    ).toHaveLength(3);
  });

  it('dead-letters a record that is not a request', async () => {
    await send('retrain-requests', 'm', Buffer.from('{"id":"x"}'));
    await quiet();
    expect(
      await installation.clickhouse.select(
        'SELECT service, class, message FROM dead_letters FINAL',
      ),
    ).toEqual([
      { service: 'retrainer', class: 'invalid-field', message: expect.stringMatching(/^model: /) },
    ]);
  });
});

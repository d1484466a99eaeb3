import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type kafkajs from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WindowObservation } from '../../services/detector/blocks/windowObservation.ts';
import { explainWindow } from '../../services/detector/judging/explainWindow.ts';
import { driftEvents } from '../../services/detector/store/driftEvents.ts';
import { clickhouseTime } from '../../services/shared/clickhouse/clickhouse.ts';
import { parseSettings } from '../../services/shared/config/settings.ts';
import type {
  AlertRequest,
  DriftEvent,
  DriftRequest,
  WindowUpdate,
} from '../../services/shared/contracts.ts';
import type { FeatureProfile } from '../../services/shared/profile/featureProfile.ts';
import { toProfileRow } from '../../services/shared/profile/profileRow.ts';
import { decodeRecord } from '../../services/shared/records/decodeRecord.ts';
import { driftloop } from '../commands.ts';
import { eventually } from '../eventually.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { driftEvent } from '../unit/detector/driftEventFixture.ts';
import { type Randomness, syntheticWindows } from '../unit/detector/syntheticStream.ts';

interface StoredTest {
  kind: string;
  feature: string;
  metric: string;
  scale: number;
  value: number;
  threshold: number | null;
  level: number;
  pValue: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.UTC(2026, 0, 1);
const onset = 30;
const partitions = [0, 1];

/**
 * Two features. `amount` decides the prediction and shifts at the onset. The model is right eight
 * times out of ten before the onset, and four times after it.
 */
function recordOf(random: Randomness, window: number) {
  const amount = random.normal() + (window < onset ? 0 : 1);
  const prediction = amount > 0 ? 'up' : 'down';
  const right = random.uniform() < (window < onset ? 0.8 : 0.4);
  return {
    features: { amount, city: random.uniform() < 0.3 ? 'Rome' : 'Oslo' },
    prediction,
    label: right ? prediction : prediction === 'up' ? 'down' : 'up',
  };
}

/** The windows of two source partitions. */
const streams = partitions.map(partition =>
  syntheticWindows({ seed: 7 + partition, windows: 60, records: 100, recordOf }).map(window => ({
    ...window,
    startMs: startMs + window.startMs,
    endMs: startMs + window.endMs,
  })),
);

describe('detector', () => {
  let installation: Installation;
  let encodeUpdate: (update: WindowUpdate) => Buffer;
  beforeEach(async () => {
    installation = await freshInstallation();
    const settingsFile = join(installation.folder, 'settings.yaml');
    await writeFile(settingsFile, 'models: { idle: { idle: 2s }, daily: { window: 1d } }\n');
    installation.variables.DRIFTLOOP_CONFIG = settingsFile;
    encodeUpdate = await installation.schemas.encoder<WindowUpdate>(
      'WindowUpdate',
      topic('windows'),
    );
  });
  afterEach(() => installation[Symbol.asyncDispose]());

  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = () => installation.untilQuiet('detector');

  async function announce(model: string, update: Partial<WindowUpdate>): Promise<void> {
    const value = encodeUpdate({
      kind: 'profile',
      model,
      version: '1',
      sourcePartition: -1,
      watermark: null,
      windowSizeMs: hourMs,
      windowStarts: [],
      ...update,
    });
    await installation.producer.send({
      topic: topic('windows'),
      messages: [{ key: model, value }],
    });
  }

  /**
   * Does what the profilers do. It writes rows and progress, and announces windows only after the
   * progress of all partitions is written.
   */
  async function profile(
    model: string,
    from: number,
    to: number,
    onlyPartition?: number,
    served = versionOne,
  ): Promise<void> {
    const updates: Partial<WindowUpdate>[] = [];
    for (const partition of partitions) {
      if (onlyPartition !== undefined && partition !== onlyPartition) continue;
      const windows = streams[partition]!.slice(from, to);
      const last = windows.at(-1)!;
      await installation.clickhouse.insert(
        'window_profiles',
        windows.flatMap(window => profileRows(model, moved(window, served), partition, served)),
      );
      await installation.clickhouse.insert(
        'window_samples',
        windows.map(window => sampleRow(model, moved(window, served), partition, served)),
      );
      await installation.clickhouse.insert('stream_progress', [
        {
          model,
          version: served.version,
          source_partition: partition,
          last_offset: to,
          first_event_time: clickhouseTime(startMs),
          max_event_time: clickhouseTime(last.endMs + served.laterMs),
          deduplicated_from: clickhouseTime(0),
          predictions: to * 100,
          duplicates: 0,
          late: 0,
          too_late: 0,
        },
      ]);
      // The allowed lateness is one minute, so that the last window is not ready yet.
      const windowStarts = windows.map(window => window.startMs + served.laterMs);
      const watermark = last.endMs + served.laterMs - 60_000;
      updates.push({
        version: served.version,
        sourcePartition: partition,
        watermark,
        windowStarts,
      });
    }
    for (const update of updates) await announce(model, update);
  }

  /** Does what the evaluator does when the labels of some windows have come. */
  async function label(
    model: string,
    from: number,
    to: number,
    served = versionOne,
  ): Promise<void> {
    const rows = Array.from({ length: to - from }, (_, index) =>
      performanceRow(model, from + index, served),
    );
    await installation.clickhouse.insert('performance_windows', rows);
    const windowStarts = rows.map((_, index) => startMs + served.laterMs + (from + index) * hourMs);
    await announce(model, { kind: 'performance', version: served.version, windowStarts });
  }

  const eventRows = (model: string) =>
    installation.clickhouse.select<Record<string, unknown>>(
      `SELECT id, revision, toString(status) AS status, cause, feature, toString(severity) AS severity,
              intDiv(toUnixTimestamp64Milli(window_start) - ${startMs}, ${hourMs}) AS window, explanation, prediction_contributions,
              version, toBool(persisting_since IS NOT NULL) AS isPersisting, end_reason, ended_by
       FROM drift_events FINAL WHERE model = {model:String} ORDER BY window_start`,
      { model },
    );
  const metricRows = (model: string) =>
    installation.clickhouse.select<{ kind: string }>(
      `SELECT window_start, toString(kind) AS kind, family, feature, metric, value, reference_value,
              threshold, p_value, level, records, scale, noise_weight, reason
       FROM drift_metrics FINAL WHERE model = {model:String}
       ORDER BY window_start, kind, family, feature, metric`,
      { model },
    );
  const windowRows = (model: string) =>
    installation.clickhouse.select<{
      status: string;
      windows: number;
      revisions: number;
      records: number;
    }>(
      `SELECT toString(status) AS status, count() AS windows, max(revision) AS revisions, sum(records) AS records
       FROM evaluated_windows FINAL WHERE model = {model:String} GROUP BY status ORDER BY status`,
      { model },
    );

  it('judges windows that all partitions have passed, and publishes a drift once, even after a restart', async () => {
    const first = await installation.startService('detector');
    await profile('m', 0, 20);
    await quiet();
    expect(await windowRows('m')).toEqual([
      { status: 'reference', windows: 10, revisions: 1, records: 2000 },
      { status: 'steady', windows: 9, revisions: 1, records: 1800 },
    ]);
    const notice = { model: 'm', version: '1', family: 'labels', status: 'open' };
    await installation.clickhouse.insert('notices', [
      { ...notice, code: 'b', message: 'Times stand still.', since: '2026-01-02 00:00:00.000' },
      { ...notice, code: 'a', message: 'No label matches.', since: '2026-01-01 00:00:00.000' },
      { ...notice, code: 'c', message: 'This is over.', status: 'closed' },
    ]);
    await profile('m', 20, 33, 0);
    await quiet();
    expect(await eventRows('m')).toEqual([]);
    await profile('m', 20, 33, 1);
    await quiet();
    expect(await eventRows('m')).toMatchObject([
      {
        revision: 1,
        status: 'open',
        cause: 'data_drift',
        feature: 'amount',
        severity: 'critical',
        window: onset,
      },
    ]);
    await profile('m', 33, 60);
    await announce('m', { kind: 'end' });
    await quiet();
    // There are no labels, and the outputs are others than before.
    expect(await eventRows('m')).toMatchObject([
      { revision: 2, status: 'open', isPersisting: true, window: onset },
    ]);
    const windows = await windowRows('m');
    expect(windows.reduce((total, row) => total + row.windows, 0)).toBe(60);

    const [opened, persisting, ...others] = await readTopic('drift-events');
    expect(others).toEqual([]);
    expect(opened!.key!.toString()).toBe('m');
    expect(opened!.headers.ce_type!.toString()).toBe('io.driftloop.drift-event');
    const event = await decoded(opened!);
    expect(event).toMatchObject({ revision: 1, status: 'open', feature: 'amount' });
    // The share of 'up' rises from 0.5 to 0.84. The part of the change within bins is not seen.
    const more = event.explanation.includes('which moves the share of "up" by +') ? 1 : -1;
    expect(Object.keys(event.predictionContributions)).toEqual(['amount']);
    expect(more * event.predictionContributions.amount!).toBeGreaterThan(0.25);
    expect(more * event.predictionContributions.amount!).toBeLessThan(0.4);
    expect(await eventRows('m')).toMatchObject([
      { prediction_contributions: event.predictionContributions },
    ]);
    expect(await decoded(persisting!)).toMatchObject({
      revision: 2,
      status: 'open',
      standing: expect.stringContaining('too few labels'),
      detectedAtEventTime: startMs + 31 * hourMs,
    });
    const alerts = await installation.clickhouse.select(
      "SELECT toString(state) AS state, revision, length(drift_event_ids) AS events, notice FROM alerts WHERE model = 'm' ORDER BY revision",
    );
    expect(alerts).toEqual([
      { state: 'opened', revision: 1, events: 1, notice: 'No label matches. (1 more)' },
      { state: 'updated', revision: 2, events: 1, notice: 'No label matches. (1 more)' },
    ]);
    const metrics = await installation.clickhouse.select<{ value: number; threshold: number }>(
      `SELECT value, threshold FROM drift_metrics FINAL WHERE model = 'm' AND feature = 'amount' AND metric = 'likelihood_ratio'
       AND window_start = fromUnixTimestamp64Milli(${startMs + onset * hourMs})`,
    );
    expect(metrics[0]!.value).toBeGreaterThan(metrics[0]!.threshold);

    await first.stop();
    await profile('m', 0, 60);
    await installation.startService('detector');
    await quiet();
    expect(await windowRows('m')).toEqual(windows);
    expect(await readTopic('drift-events')).toHaveLength(2);
    expect(await readTopic('alerts')).toHaveLength(2);
  });

  it('ends a drift that a person accepts, once, and that of a version when another one is as good as it was', async () => {
    await installation.startService('detector');
    for (const model of ['accepted', 'replaced']) await profile(model, 0, 60);
    await label('replaced', 0, 59);
    await quiet();
    expect(await eventRows('accepted')).toMatchObject([{ status: 'open', isPersisting: true }]);
    const [harmed] = await eventRows('replaced');
    expect(harmed).toMatchObject({ status: 'open', isPersisting: true });

    const [{ id }] = (await eventRows('accepted')) as [{ id: string }];
    const encode = await installation.schemas.encoder<DriftRequest>(
      'DriftRequest',
      topic('drift-requests'),
    );
    for (const request of ['first', 'second', 'first']) {
      const value = encode({
        id: request,
        model: 'accepted',
        action: 'accept',
        driftEventId: id,
        seenUntil: null,
        requestedBy: 'alice',
        note: 'the new tariff',
        time: startMs,
      });
      await installation.producer.send({
        topic: topic('drift-requests'),
        messages: [{ key: 'accepted', value }],
      });
      await quiet();
    }
    expect(await eventRows('accepted')).toMatchObject([
      { status: 'closed', end_reason: 'accepted', ended_by: 'alice' },
    ]);
    const answers = await installation.clickhouse.select(
      'SELECT request_id, outcome, answer FROM drift_requests FINAL ORDER BY request_id',
    );
    expect(answers).toMatchObject([
      { request_id: 'first', outcome: 'accepted' },
      { request_id: 'second', outcome: 'refused', answer: expect.stringContaining('(accepted)') },
    ]);

    const next = { version: '2', laterMs: 72 * hourMs };
    await profile('replaced', 0, 28, undefined, next);
    await quiet();
    expect(await eventRows('replaced')).toEqual([harmed]);
    await label('replaced', 0, 27, next);
    await quiet();
    expect(await eventRows('replaced')).toMatchObject([
      { version: '1', status: 'closed', end_reason: 'mended', ended_by: '2' },
    ]);
    const alerts = await installation.clickhouse.select<{ state: string }>(
      'SELECT toString(state) AS state FROM alerts FINAL',
    );
    expect(alerts).toEqual([{ state: 'resolved' }, { state: 'resolved' }]);
  });

  it('answers what people do with an alert in one order, and shows it in the alert', async () => {
    await installation.startService('detector');
    await profile('alerted', 0, 60);
    await quiet();
    const alertRow = async () =>
      (
        await installation.clickhouse.select<Record<string, unknown>>(
          `SELECT id, revision, toString(state) AS state, happened, acknowledged_by, note, end_reason
           FROM alerts FINAL WHERE model = 'alerted'`,
        )
      )[0]!;
    const opened = await alertRow();
    const alertId = String(opened.id);
    const encode = await installation.schemas.encoder<AlertRequest>(
      'AlertRequest',
      topic('alert-requests'),
    );
    const ask = (id: string, action: AlertRequest['action'], requestedBy: string) => ({
      key: 'alerted',
      value: encode({
        ...{ id, model: 'alerted', action, alertId },
        ...{ until: null, requestedBy, note: 'looking', time: startMs },
      }),
    });
    // Two people ask at the same moment, and one of them asks twice.
    await installation.producer.send({
      topic: topic('alert-requests'),
      messages: [
        ask('alice asks', 'acknowledge', 'alice'),
        ask('bob asks', 'acknowledge', 'bob'),
        ask('alice asks', 'acknowledge', 'alice'),
        ask('bob minds', 'not_useful', 'bob'),
      ],
    });
    await quiet();
    const answers = await installation.clickhouse.select(
      'SELECT request_id, outcome FROM alert_requests FINAL ORDER BY answered_at, request_id',
    );
    expect(answers).toEqual([
      { request_id: 'alice asks', outcome: 'accepted' },
      { request_id: 'bob asks', outcome: 'refused' },
      { request_id: 'bob minds', outcome: 'accepted' },
    ]);
    expect(await alertRow()).toEqual({
      ...opened,
      revision: Number(opened.revision) + 1,
      happened: 'acknowledged',
      acknowledged_by: 'alice',
      note: 'looking',
    });
    const usefulness = await installation.clickhouse.select(
      "SELECT alerts, acknowledged, not_useful FROM alert_usefulness WHERE model = 'alerted'",
    );
    expect(usefulness).toEqual([{ alerts: 1, acknowledged: 1, not_useful: 1 }]);

    const command = (...args: string[]) => driftloop(installation.variables, 'alerts', ...args);
    expect((await command('list')).output).toMatch(
      new RegExp(`${alertId} .*acknowledged by alice +alerted 1: data drift`),
    );
    expect(await command('ack', alertId, '--timeout', '50')).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('is acknowledged by alice already'),
    });
    expect(await command('resolve', alertId, '--note', 'a new tariff')).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('is resolved.'),
    });
    await quiet();
    expect(await alertRow()).toMatchObject({
      state: 'resolved',
      end_reason: 'person',
      note: 'a new tariff',
    });
    expect((await command('show', alertId)).output).toMatch(/bob +acknowledge +refused +looking/);
    expect((await command('list')).output).toBe('There are no open alerts.\n');
    expect(await command('ack', 'nothing')).toMatchObject({
      exitCode: 1,
      errors: expect.stringContaining('no alert has the id nothing'),
    });
  });

  it('judges windows again when their labels come and revises the drift event', async () => {
    await installation.startService('detector');
    await profile('labelled', 0, 45);
    await quiet();
    const [before] = await eventRows('labelled');
    expect(before).toMatchObject({ revision: 1, status: 'open', window: onset });
    await label('labelled', 0, 44);
    await quiet();
    const [after, ...others] = await eventRows('labelled');
    expect(others).toEqual([]);
    expect(after).toMatchObject({
      id: before!.id,
      revision: 2,
      status: 'open',
      cause: 'data_drift',
      severity: 'critical',
    });
    expect(after!.explanation).toContain('error rate rose');
    const revised = await windowRows('labelled');
    expect(Math.max(...revised.map(row => row.revisions))).toBe(2);

    // If all labels are there from the start, the event is the same.
    await label('at-once', 0, 44);
    await profile('at-once', 0, 45);
    await quiet();
    const [atOnce] = await eventRows('at-once');
    expect({ ...atOnce, id: '', revision: 0 }).toEqual({ ...after, id: '', revision: 0 });
    const rows = await metricRows('labelled');
    expect(rows.filter(({ kind }) => kind === 'performance').length).toBeGreaterThan(100);
    expect(rows).toEqual(await metricRows('at-once'));
  });

  it('judges a version again from its first window when its training reference comes, and deletes outdated metrics', async () => {
    await installation.startService('detector');
    await profile('trained', 0, 15);
    await quiet();
    expect((await windowRows('trained')).map(({ status }) => status)).toEqual([
      'reference',
      'steady',
    ]);
    await installation.clickhouse.command(
      `INSERT INTO drift_metrics SELECT * REPLACE ('only the first time' AS metric)
       FROM drift_metrics FINAL WHERE model = 'trained' AND metric = 'psi'`,
    );
    const parts = syntheticWindows({ seed: 99, windows: 20, records: 200, recordOf });
    await installation.clickhouse.insert(
      'reference_profiles',
      parts.flatMap(part =>
        profileRows('trained', part, 0).map(
          ({ segment: _, source_partition: __, last_offset: ___, ...row }) => ({
            ...row,
            reference_id: 'r1',
            source: 'training',
          }),
        ),
      ),
    );
    await announce('trained', { kind: 'reference' });
    await quiet();
    expect(await windowRows('trained')).toEqual([
      { status: 'steady', windows: 14, revisions: 2, records: 2800 },
    ]);
    expect(await eventRows('trained')).toEqual([]);
    const metrics = await installation.clickhouse.select<{ metric: string; revision: number }>(
      `SELECT DISTINCT metric, revision FROM drift_metrics FINAL WHERE model = 'trained' AND kind = 'feature'`,
    );
    expect(metrics.map(({ revision }) => revision)).toContain(2);
    expect(metrics.map(({ metric }) => metric)).not.toContain('only the first time');
  });

  it('explains each window with the numbers that it stored, from any checkpoint', async () => {
    await installation.startService('detector');
    await profile('m', 0, 45);
    await label('m', 0, 44);
    await quiet();
    const rows = await installation.clickhouse.select<StoredTest & { window: number }>(
      `SELECT intDiv(toUnixTimestamp64Milli(window_start) - ${startMs}, ${hourMs}) AS window,
              toString(kind) AS kind, feature, metric, value, threshold, level, scale, p_value AS pValue
       FROM drift_metrics FINAL WHERE model = 'm' AND family != ''`,
    );
    const byWindow = Map.groupBy(rows, ({ window }) => window);
    expect(byWindow.size).toBeGreaterThan(30);
    const settings = parseSettings('', 'test').of('m');
    for (const [window, ofWindow] of byWindow) {
      const timeMs = startMs + (window + 0.5) * hourMs;
      const request = { model: 'm', version: '1', segment: '', timeMs };
      const account = await explainWindow(installation.clickhouse, request, settings);
      const tests = account!.families.flatMap(family => family.tests);
      for (const { kind, feature, metric, scale, value, threshold, level, pValue } of ofWindow)
        expect(tests).toContainEqual(
          expect.objectContaining({
            kind,
            feature,
            metric,
            scale,
            value,
            threshold: threshold === null ? null : expect.closeTo(threshold, 9),
            level: expect.closeTo(level, 12),
            pValue: expect.closeTo(pValue, 12),
          }),
        );
    }
    const [event] = await installation.clickhouse.select<{ row: number }>(
      `SELECT count() AS row FROM drift_events AS e FINAL INNER JOIN (SELECT * FROM drift_metrics FINAL) AS m
         ON m.model = e.model AND m.version = e.version AND m.segment = e.segment
         AND m.window_start = e.evidence_window_start AND m.metric = e.metric
       WHERE e.model = 'm' AND m.value = e.value AND m.threshold = e.threshold AND m.scale = e.scale`,
    );
    expect(event).toEqual({ row: 1 });
  });

  it('explains why a window was not tested', async () => {
    await installation.startService('detector');
    await profile('m', 0, 20);
    await quiet();
    const settings = parseSettings('', 'test').of('m');
    const at = (window: number) => ({
      model: 'm',
      version: '1',
      segment: '',
      timeMs: startMs + window * hourMs,
    });
    const account = await explainWindow(installation.clickhouse, at(3), settings);
    expect(account).toMatchObject({ status: 'reference', families: [] });
    expect(account!.untested).toContain('as number 4 of at least 10');
    expect(await explainWindow(installation.clickhouse, at(100), settings)).toBeNull();
  });

  it('ends with the same rows and events when it is killed during flushes', async () => {
    const rowsOf = async (condition: string): Promise<number> => {
      const [row] = await installation.clickhouse.select<{ rows: number }>(
        `SELECT count() AS rows FROM ${condition}`,
      );
      return row!.rows;
    };
    /** Kills a detector as soon as it has written the first row that meets the condition. */
    const killedWhileWriting = async (condition: string, announceWindows: () => Promise<void>) => {
      const victim = await installation.startService('detector');
      await announceWindows();
      await eventually(`a row of ${condition}`, () => rowsOf(condition), { intervalMs: 5 });
      victim.kill();
    };
    await killedWhileWriting(`drift_metrics WHERE model = 'killed'`, () =>
      profile('killed', 0, 20),
    );
    await killedWhileWriting(`drift_events WHERE model = 'killed'`, () =>
      profile('killed', 20, 33),
    );
    await killedWhileWriting(`evaluated_windows WHERE model = 'killed' AND revision > 1`, () =>
      label('killed', 0, 25),
    );
    await killedWhileWriting(
      `evaluated_windows WHERE model = 'killed' AND window_start >= fromUnixTimestamp64Milli(${startMs + 40 * hourMs})`,
      () => profile('killed', 33, 60),
    );
    await installation.startService('detector');
    await announce('killed', { kind: 'end' });
    await label('alone', 0, 25);
    await profile('alone', 0, 60);
    await announce('alone', { kind: 'end' });
    await quiet();
    const outcome = async (model: string) => ({
      events: (await eventRows(model)).map(event => ({ ...event, id: '', revision: 0 })),
      windows: await installation.clickhouse.select(
        `SELECT window_start, toString(status) AS status, records, digest FROM evaluated_windows FINAL WHERE model = {model:String} ORDER BY window_start`,
        { model },
      ),
      metrics: await installation.clickhouse.select(
        `SELECT window_start, toString(kind) AS kind, feature, metric, round(value, 9) AS value, round(threshold, 9) AS threshold, reference, scale
         FROM drift_metrics FINAL WHERE model = {model:String} ORDER BY window_start, kind, feature, metric`,
        { model },
      ),
    });
    const disturbed = await outcome('killed');
    expect(disturbed.events).toMatchObject([{ status: 'open', isPersisting: true, window: onset }]);
    expect(disturbed.windows).toHaveLength(60);
    expect(disturbed).toEqual(await outcome('alone'));
  }, 300_000);

  it('applies changed detection settings from the next window on', async () => {
    const before = await installation.startService('detector');
    await profile('retuned', 0, 40);
    await quiet();
    await before.stop();
    const decided = await eventRows('retuned');
    expect(decided).toMatchObject([{ status: 'open', window: onset }]);
    const judged = await windowRows('retuned');
    const settingsFile = installation.variables.DRIFTLOOP_CONFIG!;
    await writeFile(
      settingsFile,
      'models: { retuned: { detection: { minimumRecords: 1000, bootstrapWindows: 20 } } }\n',
    );
    await installation.startService('detector');
    // Announces a late record in a judged window, and windows that are now too small.
    await announce('retuned', { windowStarts: [startMs + 20 * hourMs] });
    await profile('retuned', 40, 44);
    await quiet();
    expect(await eventRows('retuned')).toEqual(decided);
    const rows = await windowRows('retuned');
    expect(rows.find(({ status }) => status === 'insufficient_data')).toMatchObject({ windows: 4 });
    expect(rows.filter(({ status }) => status !== 'insufficient_data')).toEqual(judged);
  });

  it('stops waiting for a partition that has become idle', async () => {
    await installation.startService('detector');
    await profile('idle', 0, 20, 1);
    await profile('idle', 0, 30, 0);
    await quiet();
    // Nothing more is sent, so only the wall clock can make windows ready.
    const windowsJudged = async () =>
      (await windowRows('idle')).reduce((total, row) => total + row.windows, 0);
    await eventually('29 judged windows', async () => (await windowsJudged()) >= 29);
  });

  async function readTopic(
    name: string,
  ): Promise<(kafkajs.KafkaMessage & { headers: Record<string, Buffer> })[]> {
    const offsets = await installation.admin.fetchTopicOffsets(topic(name));
    const expected = offsets.reduce((total, { high }) => total + Number(high), 0);
    const consumer = installation.kafka.consumer({
      groupId: `${topic(name)}-reader-${Math.random()}`,
    });
    const records: kafkajs.KafkaMessage[] = [];
    const enough = Promise.withResolvers<void>();
    await consumer.connect();
    await consumer.subscribe({ topic: topic(name), fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        records.push(message);
        if (records.length === expected) enough.resolve();
      },
    });
    await enough.promise;
    await consumer.disconnect();
    return records as (kafkajs.KafkaMessage & { headers: Record<string, Buffer> })[];
  }

  async function decoded({ value }: kafkajs.KafkaMessage): Promise<DriftEvent> {
    await installation.schemas.prepare([{ value, headers: {} }]);
    const record = {
      topic: '',
      partition: 0,
      offset: 0,
      key: null,
      value,
      headers: {},
      timestampMs: 0,
    };
    return decodeRecord(record, 'DriftEvent', installation.schemas).value!;
  }

  it('says that far fewer predictions come, and opens no drift event for it', async () => {
    const days = 40;
    const recordsOf = (day: number) => (day === days - 1 ? 20 : 100);
    const windows = syntheticWindows({
      seed: 9,
      windows: days,
      records: recordsOf,
      recordOf: random => recordOf(random, 0),
    }).map((window, day) => ({
      ...window,
      startMs: startMs + day * dayMs,
      endMs: startMs + (day + 1) * dayMs,
    }));
    const last = windows.at(-1)!;
    const model = 'daily';
    // The version of today came after three weeks.
    await installation.clickhouse.insert(
      'window_profiles',
      windows.flatMap((window, day) =>
        profileRows(model, window, 0).map(row => ({ ...row, version: day < 21 ? '0' : '1' })),
      ),
    );
    await installation.clickhouse.insert('stream_progress', [
      {
        model,
        version: '1',
        source_partition: 0,
        last_offset: 1,
        first_event_time: clickhouseTime(startMs),
        max_event_time: clickhouseTime(last.endMs + hourMs),
        deduplicated_from: clickhouseTime(0),
        predictions: 1,
        duplicates: 0,
        late: 0,
        too_late: 0,
      },
    ]);
    await announce(model, {
      sourcePartition: 0,
      watermark: last.endMs + hourMs,
      windowSizeMs: dayMs,
      windowStarts: windows.map(window => window.startMs),
    });
    await installation.startService('detector');
    await quiet();
    const notices = await installation.clickhouse.select(
      "SELECT code, toString(status) AS status, evidence FROM notices FINAL WHERE model = 'daily'",
    );
    expect(notices).toEqual([
      {
        code: 'fewer-predictions',
        status: 'open',
        evidence:
          'From 2026-02-09 00:00 to 2026-02-10 00:00 UTC there were 20, where about 100 are usual.',
      },
    ]);
    expect(await eventRows(model)).toEqual([]);
  });

  it('reads drift events as it wrote them, with the values that they name', async () => {
    const store = driftEvents(installation.clickhouse);
    const named = { kind: 'feature', name: 'country' } as const;
    const events = [
      { ...driftEvent('none'), revision: 1 },
      {
        ...driftEvent('named', {
          changedValues: [
            { ...named, value: 'Italy', share: 0.2, referenceShare: 0, renamedFrom: 'IT' },
            { ...named, value: 'IT', share: 0, referenceShare: 0.2, renamedFrom: null },
          ],
        }),
        revision: 1,
      },
    ];
    await store.insertDriftEvents(events);
    const wanted = { model: 'm', version: '1', sinceMs: -1, ids: [] };
    const read = await store.driftEvents([wanted]);
    expect([...read.values()].flatMap(byId => [...byId.values()])).toEqual(
      expect.arrayContaining(events),
    );
  });
});

function sampleRow(
  model: string,
  { startMs, endMs, sample }: WindowObservation,
  partition: number,
  { version }: Served,
) {
  const { names, hashes, codes, outputs } = sample!;
  return {
    model,
    version,
    window_start: clickhouseTime(startMs),
    window_end: clickhouseTime(endMs),
    source_partition: partition,
    last_offset: 0,
    id_hashes: hashes,
    features: names,
    codes,
    outputs,
  };
}

/** A version that serves the same windows so much later. */
interface Served {
  version: string;
  laterMs: number;
}

const versionOne: Served = { version: '1', laterMs: 0 };

function moved(window: WindowObservation, { laterMs }: Served): WindowObservation {
  return { ...window, startMs: window.startMs + laterMs, endMs: window.endMs + laterMs };
}

function profileRows(
  model: string,
  window: WindowObservation,
  partition: number,
  { version }: Served = versionOne,
) {
  return [...window.variables.values()].map(({ kind, name, profile }) => ({
    model,
    version,
    segment: '',
    window_start: clickhouseTime(window.startMs),
    window_end: clickhouseTime(window.endMs),
    kind,
    feature: name,
    source_partition: partition,
    last_offset: 1,
    ...toProfileRow(profile as FeatureProfile),
  }));
}

/** Returns the row with the labels of both partitions for a window. */
function performanceRow(
  model: string,
  window: number,
  { version, laterMs }: Served = versionOne,
): object {
  const parts = streams.map(stream => stream[window]!.performance!);
  const sum = (of: (part: (typeof parts)[number]) => number) =>
    parts.reduce((total, part) => total + of(part), 0);
  const labels = ['up', 'down'].map(
    name => [name, sum(part => part.labelCounts.get(name) ?? 0)] as const,
  );
  const confusion = labels.flatMap(([name, count]) => {
    const right = sum(part => part.rightCounts.get(name) ?? 0);
    const other = name === 'up' ? 'down' : 'up';
    return [[`${name}→${name}`, right] as const, [`${name}→${other}`, count - right] as const];
  });
  return {
    model,
    version,
    segment: '',
    window_start: clickhouseTime(startMs + laterMs + window * hourMs),
    window_end: clickhouseTime(startMs + laterMs + (window + 1) * hourMs),
    task: 'binary',
    predictions: 200,
    labelled: sum(part => part.labelled),
    coverage: 1,
    loss_sum: sum(part => part.lossSum),
    loss_square_sum: sum(part => part.lossSquareSum),
    confusion: Object.fromEntries(confusion),
    label_counts: Object.fromEntries(labels),
    progress: 1,
  };
}

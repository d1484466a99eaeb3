import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendStreamEnd } from '../../bin/replay/sendStreamEnd.ts';
import { readStreamFolder } from '../../quality/counting/readStreamFolder.ts';
import type { WindowedStream } from '../../quality/counting/windowCounter.ts';
import { type Alarm, judgeStream } from '../../quality/judge/judgeStream.ts';
import { randomOf } from '../../quality/streams/random.ts';
import type { WindowObservation } from '../../services/detector/blocks/windowObservation.ts';
import { detectorStore } from '../../services/detector/store/store.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { DriftEvent } from '../../services/shared/contracts.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { toProfileRow } from '../../services/shared/profile/profileRow.ts';
import { versionKey } from '../../services/shared/versionKey.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const windowMs = 200_000;
const windows = 60;
const perWindow = 100;
const startMs = Date.UTC(2026, 0, 1);
const onset = 35;
/**
 * Time for three services to start and read 24,000 records, which takes minutes on a busy machine.
 */
const maxWaitMs = 300_000;

/**
 * Makes a stream of two models. One predicts classes: an input and the errors change at the onset;
 * labels come four windows late, some never come, and some are corrected. The other model predicts
 * numbers and never drifts.
 */
function stream(): { predictions: string[]; feedback: string[] } {
  const random = randomOf('core and pipeline');
  const predictions: string[] = [];
  const feedback: string[] = [];
  for (let row = 0; row < windows * perWindow; row++) {
    const time = startMs + (row * windowMs) / perWindow;
    const drifted = time >= startMs + onset * windowMs;
    const given = <T>(value: T) => (random.uniform() < 0.02 ? null : value);
    const features = {
      amount: given(random.normal() + (drifted ? 0.8 : 0)),
      city: given(random.uniform() < 0.3 ? 'Rome' : 'Oslo'),
      known: random.uniform() < 0.5,
    };
    const label = random.uniform() < 0.4 ? 'yes' : 'no';
    const isWrong = random.uniform() < (drifted ? 0.4 : 0.1);
    const prediction = isWrong ? (label === 'yes' ? 'no' : 'yes') : label;
    predictions.push(
      JSON.stringify({ id: `c${row}`, model: 'classes', version: '1', time, features, prediction }),
    );
    const labelTime = time + 4 * windowMs;
    if (row % 10 !== 0) feedback.push(JSON.stringify({ id: `c${row}`, time: labelTime, label }));
    if (row % 17 === 0)
      feedback.push(JSON.stringify({ id: `c${row}`, time: labelTime + windowMs, label: 'no' }));

    const value = random.normal() * 10;
    const numbers = {
      id: `n${row}`,
      model: 'numbers',
      version: '2',
      time,
      features: { value },
      prediction: value,
    };
    predictions.push(JSON.stringify(numbers));
    feedback.push(
      JSON.stringify({ id: `n${row}`, time: time + 1, label: value + random.normal() }),
    );
  }
  // A retry, a record without a model, one that is not JSON, and a label without a prediction.
  predictions.push(
    predictions.at(-2)!,
    JSON.stringify({ id: 'x', time: startMs, features: {}, prediction: 1 }),
    '{',
  );
  feedback.push(JSON.stringify({ id: 'nobody', time: startMs, label: 'yes' }));
  return { predictions, feedback };
}

const rounded = (content: unknown): unknown =>
  JSON.parse(
    JSON.stringify(content, (_, value) =>
      typeof value === 'number'
        ? Number(value.toPrecision(9))
        : value instanceof Map
          ? [...value]
          : value,
    ),
  );

/** Returns the content of an observation, independent of the order of its variables. */
function contentOf({ variables, ...window }: WindowObservation): unknown {
  const rows = [...variables].map(([key, { profile }]) => [key, toProfileRow(profile)] as const);
  return rounded({ ...window, variables: rows.sort(([left], [right]) => (left < right ? -1 : 1)) });
}

function eventsOf(events: Iterable<DriftEvent>): unknown {
  const kept = [...events]
    .filter(({ status }) => status !== 'withdrawn')
    .map(({ revision: _, ...event }) => event);
  return rounded(kept.sort((a, b) => a.windowStart - b.windowStart));
}

describe('the quality harness', () => {
  let installation: Installation;
  let counted: WindowedStream[];
  let rejected: Map<string, number>;
  beforeAll(async () => {
    installation = await freshInstallation();
    const settingsFile = join(installation.folder, 'settings.yaml');
    await writeFile(settingsFile, `defaults: { window: ${windowMs / 1000}s }\n`);
    installation.variables.DRIFTLOOP_CONFIG = settingsFile;
    const { predictions, feedback } = stream();
    await writeFile(join(installation.folder, 'predictions.jsonl'), predictions.join('\n'));
    await writeFile(join(installation.folder, 'feedback.jsonl'), feedback.join('\n'));
    ({ streams: counted, rejected } = await readStreamFolder(installation.folder, windowMs));

    await Promise.all(
      (['profiler', 'evaluator', 'detector'] as const).map(service =>
        installation.startService(service),
      ),
    );
    await send(topics.predictions, predictions);
    await send(topics.feedback, feedback);
    await quiet();
    const { producer, clickhouse, environment } = installation;
    await sendStreamEnd(producer, clickhouse, environment, readSettings(settingsFile));
    await quiet();
  }, maxWaitMs);
  afterAll(() => installation[Symbol.asyncDispose]());

  async function send(topic: string, lines: readonly string[]): Promise<void> {
    const messages = lines.map(value => ({ key: /"id":"(\w+)"/.exec(value)?.[1] ?? null, value }));
    await installation.producer.send({
      topic: `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${topic}`,
      messages,
    });
  }

  const quiet = () => installation.untilQuiet('profiler', 'evaluator', 'detector');

  /** Returns the windows with the labels that are known in the end. */
  function observationsOf({ windows, labelRevisions }: WindowedStream): WindowObservation[] {
    const performances = new Map(
      labelRevisions.map(({ startMs, performance }) => [startMs, performance]),
    );
    return windows.map(window => ({
      ...window,
      performance: performances.get(window.startMs) ?? null,
    }));
  }

  it('refuses the same records as the services', () => {
    expect(Object.fromEntries(rejected)).toEqual({ 'invalid-field': 1, 'malformed-json': 1 });
  });

  it('counts the same windows and labels as profiler and evaluator', async () => {
    const store = detectorStore(installation.clickhouse);
    expect(counted.map(({ model }) => model)).toEqual(['classes', 'numbers']);
    for (const { model, version, ...ofStream } of counted) {
      const name = { model, version };
      const range = { ...name, fromMs: 0, toMs: Date.UTC(2100, 0, 1), windowSizeMs: windowMs };
      const stored = (await store.windows([range])).get(versionKey(name))!;
      const expected = observationsOf({ ...name, ...ofStream });
      expect(expected).toHaveLength(windows);
      expect([...stored.values()].map(segments => contentOf(segments.get('')!))).toEqual(
        expected.map(contentOf),
      );
    }
  });

  it('reports the same drift events as the detector', async () => {
    const store = detectorStore(installation.clickhouse);
    const alarms: Alarm[] = [];
    for (const ofStream of counted) {
      const found = judgeStream(ofStream, readSettings(undefined).of(ofStream.model).detection);
      const { model, version } = ofStream;
      const stored = await store.driftEvents([{ model, version, sinceMs: 0, ids: [] }]);
      const events = stored.get(versionKey({ model, version })) ?? new Map<string, DriftEvent>();
      expect(eventsOf(found.map(({ event }) => event))).toEqual(eventsOf(events.values()));
      alarms.push(...found);
    }
    expect(alarms).toMatchObject([
      { event: { model: 'classes', windowStart: startMs + onset * windowMs } },
    ]);
  });
});

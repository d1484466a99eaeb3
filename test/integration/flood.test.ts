import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countPrediction } from '../../services/profiler/counting/profiler.ts';
import { emptyTally } from '../../services/profiler/counting/tally.ts';
import {
  newVersionState,
  type VersionState,
  watermarkMs,
} from '../../services/profiler/counting/versionState.ts';
import { countWaitingRecords } from '../../services/profiler/counting/windowState.ts';
import { maxBytesInMemory } from '../../services/profiler/profilerHandler.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import type { ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { loggedPrediction } from '../../services/shared/profile/features.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { seededRandom } from '../unit/shared/profile/distributions.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const partitions = 4;

interface Sent {
  partition: number;
  prediction: Prediction;
}

function prediction(
  model: string,
  id: string,
  time: number,
  fields: Partial<Prediction> = {},
): Prediction {
  return {
    ...predictionDefaults,
    id,
    model,
    version: '1',
    time,
    features: {},
    prediction: 'yes',
    ...fields,
  };
}

describe('models that share partitions', () => {
  let installation: Installation;
  let encode: (prediction: Prediction) => Buffer;
  beforeEach(async () => {
    installation = await freshInstallation();
    installation.variables.DRIFTLOOP_CONFIG = join(installation.folder, 'settings.yaml');
    await writeFile(
      installation.variables.DRIFTLOOP_CONFIG,
      'models: { segmented: { segments: [tenant] } }\n',
    );
    encode = await installation.schemas.encoder<Prediction>('Prediction', topic());
  });
  afterEach(() => installation[Symbol.asyncDispose]());

  const topic = () => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}predictions`;
  const quiet = (...services: ServiceName[]) => installation.untilQuiet(...services);
  async function send(records: readonly Sent[]): Promise<void> {
    for (let start = 0; start < records.length; start += 1000) {
      const messages = records.slice(start, start + 1000).map(({ partition, prediction }) => ({
        key: prediction.id,
        partition,
        value: encode(prediction),
      }));
      await installation.producer.send({ topic: topic(), messages });
    }
  }
  async function metric(healthUrl: string, name: string, label: string): Promise<number> {
    const text = await (await fetch(`${healthUrl}/metrics`)).text();
    const line = text
      .split('\n')
      .find(sample => sample.startsWith(`${name}{`) && sample.includes(`="${label}"`));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  it('are not harmed by a flood of names, versions, features, categories and segments, which is limited and counted', async () => {
    const startMs = Date.UTC(2026, 0, 1);
    const range = (count: number) => Array.from({ length: count }, (_, number) => number);
    const steady = range(3_000).map(number => ({
      partition: number % partitions,
      prediction: prediction('steady', `s${number}`, startMs + number * 10_000, {
        features: { amount: number % 50, city: number % 3 ? 'Rome' : null },
      }),
    }));
    const newNames = 20_000;
    // Together these are more than the profiler may hold.
    const features = Object.fromEntries(range(10).map(feature => [`f${feature}`, feature]));
    const flood: Sent[] = [
      ...range(newNames).map(number =>
        prediction(`flood-${number}`, `f${number}`, startMs + number, { features }),
      ),
      ...range(300).map(number =>
        prediction('versioned', `v${number}`, startMs, { version: `v${number}` }),
      ),
      ...range(50).map(number =>
        prediction('wide', `w${number}`, startMs, {
          features: Object.fromEntries(
            range(100).map(feature => [`f${number * 100 + feature}`, 1]),
          ),
        }),
      ),
      ...range(2_000).map(number =>
        prediction('many', `m${number}`, startMs, {
          features: Object.fromEntries(
            range(50).map(feature => [`f${feature}`, `category ${number * 50 + feature}`]),
          ),
        }),
      ),
      ...range(150).map(number =>
        prediction('segmented', `g${number}`, startMs, { segment: { tenant: `t${number}` } }),
      ),
      // These versions were evicted from memory by now, and are loaded again.
      ...range(100).map(number =>
        prediction(`flood-${number}`, `again ${number}`, startMs + 60_000, { features }),
      ),
    ].map(flooding => ({ partition: 0, prediction: flooding }));
    const every = flood.length / steady.length;
    const { healthUrl } = await installation.startService('profiler');
    await send(
      steady.flatMap((record, index) => [
        record,
        ...flood.slice(Math.floor(index * every), Math.floor((index + 1) * every)),
      ]),
    );
    await quiet('profiler');

    const expected = [
      ...Map.groupBy(steady, record => Math.floor(record.prediction.time / hourMs) * hourMs),
    ].map(([start, records]) => ({
      start,
      records: records.length,
      missing: records.filter(record => record.prediction.features.city === null).length,
      sum: records.reduce((sum, record) => sum + (record.prediction.features.amount as number), 0),
    }));
    const { clickhouse } = installation;
    expect(
      await clickhouse.select(
        `SELECT toUnixTimestamp64Milli(window_start) AS start, sumIf(count, feature = 'prediction') AS records,
                sumIf(missing, feature = 'city') AS missing, sumIf(sum, feature = 'amount') AS sum
         FROM window_profiles FINAL WHERE model = 'steady' GROUP BY start ORDER BY start`,
      ),
    ).toEqual(expected);
    const ofModels = `SELECT if(startsWith(model, 'flood-'), 'flood', model) AS name, sum(predictions) AS predictions, sum(late + too_late + duplicates) AS others
                      FROM stream_progress FINAL GROUP BY name ORDER BY name`;
    expect(await clickhouse.select(ofModels)).toEqual([
      { name: 'flood', predictions: newNames + 100, others: 0 },
      { name: 'many', predictions: 2_000, others: 0 },
      { name: 'segmented', predictions: 150, others: 0 },
      { name: 'steady', predictions: 3_000, others: 0 },
      { name: 'versioned', predictions: 300, others: 0 },
      { name: 'wide', predictions: 50, others: 0 },
    ]);
    expect(
      await clickhouse.select(
        `SELECT model, uniqExact(feature) AS features, uniqExact(segment) AS segments, sumIf(count, feature = '(other)' OR segment = 'tenant=(other)') AS other,
                sumIf(categorical_count, kind = 'feature') AS categories, max(length(category_values)) AS values
         FROM window_profiles FINAL WHERE model IN ('wide', 'many', 'segmented') GROUP BY model ORDER BY model`,
      ),
    ).toEqual([
      { model: 'many', features: 51, segments: 1, other: 0, categories: 100_000, values: 256 },
      { model: 'segmented', features: 1, segments: 102, other: 50, categories: 0, values: 1 },
      { model: 'wide', features: 4_002, segments: 1, other: 1_000, categories: 0, values: 1 },
    ]);
    expect(await metric(healthUrl, 'driftloop_limit_hits_total', 'feature_names')).toBe(1_000);
    expect(await metric(healthUrl, 'driftloop_limit_hits_total', 'segment_values')).toBe(50);
    expect(await metric(healthUrl, 'driftloop_cache_bytes', 'profiler')).toBeLessThanOrEqual(
      maxBytesInMemory,
    );
    expect(await metric(healthUrl, 'driftloop_cache_evictions_total', 'versions')).toBeGreaterThan(
      0,
    );
    expect(await metric(healthUrl, 'driftloop_cache_entries', 'versions')).toBeLessThan(newNames);
    expect(await clickhouse.select('SELECT class FROM dead_letters FINAL')).toEqual([]);
  }, 600_000);

  it('have separate clocks, so that history of 1996 and live traffic do not disturb each other', async () => {
    const random = seededRandom(11);
    const starts = {
      history: Date.UTC(1996, 4, 7),
      live: Math.floor(Date.now() / hourMs) * hourMs - 4 * dayMs,
    };
    const records: Sent[] = [];
    for (let number = 0; number < 1_600; number++) {
      for (const [model, startMs] of Object.entries(starts)) {
        const time = startMs + number * 200_000;
        const features = { amount: Math.round(random() * 100) };
        const add = (id: string, at: number) => {
          records.push({
            partition: number % partitions,
            prediction: prediction(model, id, at, { features }),
          });
        };
        add(`${number}`, time);
        if (number % 9 === 0) add(`${number}`, time);
        if (number % 10 === 0) add(`late ${number}`, time - Math.floor(random() * 5 * hourMs));
        if (number % 50 === 0) add(`too late ${number}`, time - 20 * dayMs);
      }
    }
    await Promise.all([
      installation.startService('profiler'),
      installation.startService('detector'),
    ]);
    await send(records);
    await quiet('profiler', 'detector');

    const settings = readSettings(undefined);
    const states = new Map<string, VersionState>();
    const tooLate: Record<string, number> = { history: 0, live: 0 };
    for (const [offset, { partition, prediction: sent }] of records.entries()) {
      const key = `${sent.model} ${partition}`;
      const state = states.get(key) ?? newVersionState(sent.model, '1', settings.of(sent.model));
      states.set(key, state);
      const record = { prediction: loggedPrediction(sent), offset };
      if (typeof countPrediction(state, record, emptyTally()) === 'object') tooLate[sent.model]!++;
    }
    const { clickhouse } = installation;
    expect(
      await clickhouse.select(
        `SELECT concat(model, ' ', toString(source_partition)) AS key, predictions, duplicates, late, too_late, toUnixTimestamp64Milli(max_event_time) AS latest
         FROM stream_progress FINAL WHERE model IN ('history', 'live') ORDER BY key`,
      ),
    ).toEqual(
      [...states]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(
          ([key, { predictions, duplicates, late, tooLate: too_late, maxEventTimeMs: latest }]) => {
            return { key, predictions, duplicates, late, too_late, latest };
          },
        ),
    );
    expect(tooLate.history).toBe(tooLate.live);
    expect(
      await clickhouse.select(
        'SELECT model, class, count() AS letters FROM dead_letters FINAL GROUP BY model, class ORDER BY model',
      ),
    ).toEqual(
      Object.entries(tooLate).map(([model, letters]) => ({ model, class: 'too-late', letters })),
    );
    for (const model of Object.keys(starts)) {
      const ofModel = [...states.values()].filter(state => state.model === model);
      const watermark = Math.min(...ofModel.map(watermarkMs));
      const closed = new Set(
        ofModel.flatMap(state => [...state.windows.values()].map(window => window.endMs)),
      );
      const [judged] = await clickhouse.select<{ windows: number; until: number; records: number }>(
        `SELECT count() AS windows, toUnixTimestamp64Milli(max(window_end)) AS until, sum(records) AS records
         FROM evaluated_windows FINAL WHERE model = {model:String}`,
        { model },
      );
      const ends = [...closed].filter(endMs => endMs <= watermark);
      expect(judged).toMatchObject({ windows: ends.length, until: Math.max(...ends) });
      const counted = ofModel
        .flatMap(state => [...state.windows.values()])
        .filter(({ endMs }) => endMs <= watermark);
      for (const window of counted) countWaitingRecords(window);
      expect(judged!.records).toBe(
        counted.reduce(
          (sum, window) => sum + window.segments.get('')!.output.get('prediction')!.count,
          0,
        ),
      );
    }
  }, 600_000);
});

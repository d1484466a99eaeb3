import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { randomness } from '../unit/detector/syntheticStream.ts';

const startMs = Date.UTC(2026, 2, 2);
const count = 3_000;
const perHour = 150;
const dimension = 8;

/** Features as programs log them that never meant to be monitored. */
const predictions = Array.from({ length: count }, (_, number): Prediction => {
  const { uniform, normal } = randomness(number);
  const time = startMs + Math.floor((number * 3_600_000) / perHour);
  return {
    ...predictionDefaults,
    id: `p${number}`,
    model: 'logs',
    version: '1',
    time,
    features: {
      amount: Math.exp(3 + normal()).toFixed(2),
      created: new Date(time).toISOString(),
      order: `ORD-${number}-${Math.floor(1e6 * uniform())}`,
      number: 1000 + number,
      city: uniform() < 0.3 ? 'Rome' : 'Oslo',
      embedding: Array.from({ length: dimension }, () => 1 + normal()),
    },
    prediction: uniform() < 0.5 ? 'yes' : 'no',
  };
});

describe('features of a running installation', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await freshInstallation();
    const settingsFile = join(installation.folder, 'settings.yaml');
    await writeFile(
      settingsFile,
      'models: { logs: { keepVectors: true, features: { number: { kind: numeric } } } }\n',
    );
    installation.variables.DRIFTLOOP_CONFIG = settingsFile;
    const topic = `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}predictions`;
    const encode = await installation.schemas.encoder<Prediction>('Prediction', topic);
    await installation.startService('profiler');
    await installation.startService('detector');
    for (let from = 0; from < count; from += 500) {
      const messages = predictions.slice(from, from + 500).map((one, index) => ({
        key: 'one partition',
        value: index % 2 ? encode(one) : JSON.stringify(one),
      }));
      await installation.producer.send({ topic, messages });
    }
    await installation.untilQuiet('profiler');
    await installation.untilQuiet('detector');
  });
  afterAll(() => installation[Symbol.asyncDispose]());

  const select = (sql: string) => installation.clickhouse.select<Record<string, unknown>>(sql);

  it('have kinds, as found in the reference or named by the settings', async () => {
    expect(
      await select('SELECT feature, kind, declared FROM feature_kinds FINAL ORDER BY feature'),
    ).toEqual([
      { feature: 'amount', kind: 'numeric-text', declared: 0 },
      { feature: 'city', kind: 'categorical', declared: 0 },
      { feature: 'created', kind: 'time', declared: 0 },
      { feature: 'embedding', kind: 'vector', declared: 0 },
      { feature: 'number', kind: 'numeric', declared: 1 },
      { feature: 'order', kind: 'identifier', declared: 0 },
    ]);
  });

  it('have notices that say what to log instead', async () => {
    expect(
      await select(
        `SELECT subject, code FROM notices FINAL
         WHERE family = 'features' AND status = 'open' ORDER BY subject`,
      ),
    ).toEqual([
      { subject: 'amount', code: 'numbers-written-as-text' },
      { subject: 'created', code: 'dates-written-as-text' },
      { subject: 'order', code: 'identifier-as-feature' },
    ]);
  });

  it('may be vectors, in Avro and in JSON, which are stored where the settings ask for it', async () => {
    expect(await select('SELECT count() AS letters FROM dead_letters')).toEqual([{ letters: 0 }]);
    const [stored] = await select(
      `SELECT count() AS stored, countIf(length(JSONExtract(vector_features['embedding'],
              'Array(Float64)')) = ${dimension}) AS vectors,
              any(mapContains(categorical_features, 'embedding')) AS asText
       FROM predictions FINAL`,
    );
    expect(stored).toEqual({ stored: count, vectors: count, asText: 0 });
    const [windows] = await select(
      `SELECT sum(JSONExtractInt(vector_summary, 'count')) AS vectors FROM window_profiles FINAL
       WHERE feature = 'embedding'`,
    );
    expect(windows).toEqual({ vectors: count });
  });
});

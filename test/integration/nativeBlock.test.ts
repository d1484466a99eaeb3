import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { migrate } from '../../infra/clickhouse/migrate.ts';
import { addPrediction, predictionBlock } from '../../services/profiler/blocks/predictionBlock.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { loggedPrediction } from '../../services/shared/profile/features.ts';
import { uniqueName } from '../uniqueName.ts';
import { mapOf, text } from '../unit/shared/contractArbitrary.ts';

const environment = readEnvironment({
  CLICKHOUSE_URL: inject('clickhouseUrl'),
  CLICKHOUSE_DATABASE: uniqueName(),
});
const clickhouse = connectClickhouse(environment, { retry: false });
beforeAll(() => migrate(environment));
afterAll(async () => {
  await clickhouse.command(`DROP DATABASE ${environment.CLICKHOUSE_DATABASE}`);
  await clickhouse.close();
});

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0, 5e-324),
);
/**
 * Includes halves of surrogate pairs, and lengths around the limits of a varint and of the native
 * encoder.
 */
const anyText = fc.oneof(
  text,
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc
    .tuple(
      fc.constantFrom('x', 'é', '€', '😀', '\ud800'),
      fc.constantFrom(47, 48, 49, 127, 128, 20_000),
    )
    .map(([unit, count]) => unit.repeat(count)),
);
const prediction: fc.Arbitrary<Prediction> = fc.record({
  id: anyText,
  model: anyText,
  version: anyText,
  time: fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2200, 0, 1) }),
  features: mapOf(fc.oneof(number, anyText, fc.boolean(), fc.constant(null), fc.array(number)), 20),
  prediction: fc.oneof(number, anyText, fc.boolean()),
  score: fc.option(number),
  probabilities: fc.option(mapOf(number)),
  segment: fc.option(mapOf(anyText)),
  codeVersion: fc.option(anyText),
  latencyMs: fc.option(number),
  weight: fc.option(fc.double({ min: 1e-6, max: 1e6, noNaN: true })),
  samplingRate: fc.option(fc.double({ min: 1e-6, max: 1, noNaN: true })),
  quantiles: fc.option(mapOf(number), { freq: 1 }),
  ranking: fc.option(fc.array(anyText, { maxLength: 5 }), { freq: 1 }),
  shadow: fc.constant(null),
});

/** Returns a number as ClickHouse writes it in JSON. */
const shown = (value: number) =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
const shownOrNull = (value: number | null) => (value === null ? null : shown(value));
const mapped = <From, To>(
  map: Record<string, From> | null,
  to: (value: From) => To,
): Record<string, To> =>
  Object.fromEntries(Object.entries(map ?? {}).map(([name, value]) => [name, to(value)]));
const entries = (features: Prediction['features'], wanted: (value: unknown) => boolean) =>
  Object.fromEntries(Object.entries(features).filter(([, value]) => wanted(value)));

function expectedRow(sent: Prediction, index: number): object {
  const numbers = entries(sent.features, value => typeof value === 'number') as Record<
    string,
    number
  >;
  const others = entries(
    sent.features,
    value => typeof value === 'string' || typeof value === 'boolean',
  );
  const vectors = entries(sent.features, Array.isArray) as Record<string, number[]>;
  return {
    model: sent.model.toWellFormed(),
    version: sent.version.toWellFormed(),
    id: sent.id.toWellFormed(),
    time: sent.time,
    numeric_features: mapped(numbers, shown),
    categorical_features: mapped(others, value => String(value).toWellFormed()),
    vector_features: mapped(index % 2 === 0 ? vectors : {}, value => JSON.stringify(value)),
    prediction: String(sent.prediction).toWellFormed(),
    prediction_value: typeof sent.prediction === 'number' ? shown(sent.prediction) : null,
    score: shownOrNull(sent.score),
    probabilities: mapped(sent.probabilities, shown),
    quantiles: mapped(sent.quantiles, shown),
    ranking: (sent.ranking ?? []).map(item => item.toWellFormed()),
    segments: mapped(sent.segment, value => value.toWellFormed()),
    code_version: (sent.codeVersion ?? '').toWellFormed(),
    latency_ms: shownOrNull(sent.latencyMs),
    weight: (sent.weight ?? 1) / (sent.samplingRate ?? 1),
    source_partition: index - 3,
    source_offset: 2 ** 53 - 1 - index,
  };
}

it('reads rows of predictions with any content as they were written', async () => {
  const columns = Object.keys(predictionBlock().columns).map(name =>
    name === 'event_time' ? 'toUnixTimestamp64Milli(event_time) AS time' : name,
  );
  await fc.assert(
    fc.asyncProperty(fc.array(prediction, { minLength: 1, maxLength: 20 }), async sent => {
      await clickhouse.command('TRUNCATE TABLE predictions');
      const rows = predictionBlock();
      for (const [index, one] of sent.entries())
        addPrediction(rows, loggedPrediction(one), index - 3, 2 ** 53 - 1 - index, index % 2 === 0);
      await clickhouse.insertBlock('predictions', rows);
      const read = await clickhouse.select(
        `SELECT ${columns.join(', ')} FROM predictions ORDER BY source_offset DESC`,
      );
      expect(read).toEqual(sent.map(expectedRow));
    }),
    { numRuns: 20 },
  );
}, 300_000);

it('reads a block that fills many pieces of memory as it was written', async () => {
  await clickhouse.command('TRUNCATE TABLE predictions');
  const count = 20_000;
  const block = predictionBlock();
  for (let index = 0; index < count; index++) {
    addPrediction(
      block,
      loggedPrediction({
        ...predictionDefaults,
        id: `id-${index}`,
        model: `m${index % 300}`,
        version: '1',
        time: Date.UTC(2026, 0, 1) + index,
        features: {
          [`n${index % 7}`]: index / 3,
          text: 'x'.repeat(index % 100),
          other: index % 2 ? null : 'y',
        },
        prediction: index,
        score: index % 3 ? null : index,
      }),
      0,
      index,
      false,
    );
  }
  await clickhouse.insertBlock('predictions', block);
  const wrong = await clickhouse.select(
    `SELECT source_offset AS n FROM predictions
     WHERE NOT (id = concat('id-', toString(n)) AND model = concat('m', toString(n % 300)) AND prediction_value = n
                AND toUnixTimestamp64Milli(event_time) = ${Date.UTC(2026, 0, 1)} + n
                AND numeric_features = map(concat('n', toString(n % 7)), n / 3) AND length(categorical_features['text']) = n % 100
                AND categorical_features['other'] = if(n % 2 = 1, '', 'y') AND ifNull(score, -1) = if(n % 3 = 0, n, -1))`,
  );
  expect(wrong).toEqual([]);
  expect(await clickhouse.select('SELECT count() AS stored FROM predictions')).toEqual([
    { stored: count },
  ]);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countPrediction } from '../../../services/profiler/counting/profiler.ts';
import { emptyTally } from '../../../services/profiler/counting/tally.ts';
import { newVersionState } from '../../../services/profiler/counting/versionState.ts';
import { countWaitingRecords } from '../../../services/profiler/counting/windowState.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import type { LoggedPrediction } from '../../../services/shared/profile/features.ts';
import { windowRows } from './windowRows.ts';

const startMs = Date.UTC(2026, 0, 1);
const settings = { ...parseSettings('', 'test').of('m'), segments: ['country'] };
const maxNames = 4_000;
/** Records share these arrays, as decoded records do. */
const someNames = [
  ['amount', 'city'],
  ['city', 'amount', 'age'],
];
/** More names than a window keeps apart, so that several are counted under (other). */
const tooManyNames = Array.from({ length: maxNames + 2 }, (_, index) => `f${index}`);

const value = fc.oneof(
  fc.double(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
);

function predictionOf(namesOf: readonly string[][]): fc.Arbitrary<Omit<LoggedPrediction, 'id'>> {
  return fc.record({
    model: fc.constant('m'),
    version: fc.constant('1'),
    time: fc.integer({ min: 0, max: 1 }).map(window => startMs + window * settings.windowSizeMs),
    features: fc.constantFrom(...namesOf).chain(names =>
      fc.record({
        names: fc.constant(names),
        values: fc.array(value, { minLength: names.length, maxLength: names.length }),
      }),
    ),
    prediction: fc.oneof(fc.double(), fc.string(), fc.boolean()),
    score: fc.option(fc.double()),
    probabilities: fc.constant(null),
    segment: fc.option(fc.record({ country: fc.constantFrom('DE', 'FR') })),
    codeVersion: fc.option(fc.constantFrom('1', '2')),
    latencyMs: fc.option(fc.double()),
    weight: fc.constant(null),
    samplingRate: fc.constant(null),
    quantiles: fc.constant(null),
    ranking: fc.constant(null),
    shadow: fc.constant(null),
  });
}

/** @param atOnce counts each record before the next one comes */
function rowsOf(predictions: readonly Omit<LoggedPrediction, 'id'>[], atOnce: boolean) {
  const state = newVersionState('m', '1', settings);
  const tally = emptyTally();
  for (const [offset, prediction] of predictions.entries()) {
    countPrediction(state, { prediction: { ...prediction, id: `id${offset}` }, offset }, tally);
    if (atOnce) for (const window of state.windows.values()) countWaitingRecords(window);
  }
  return {
    rows: [...state.windows.values()].flatMap(window => windowRows(state, window)),
    tally,
  };
}

it.each([
  { what: 'the same names', names: someNames.slice(1), records: 200, numRuns: 50 },
  { what: 'names that change', names: someNames, records: 200, numRuns: 50 },
  { what: 'too many names', names: [tooManyNames], records: 20, numRuns: 2 },
])(
  'gives the same rows for records that wait and for records that are counted at once: $what',
  options => {
    fc.assert(
      fc.property(
        fc.array(predictionOf(options.names), { maxLength: options.records, size: 'max' }),
        predictions => {
          expect(rowsOf(predictions, false)).toEqual(rowsOf(predictions, true));
        },
      ),
      { numRuns: options.numRuns },
    );
  },
);

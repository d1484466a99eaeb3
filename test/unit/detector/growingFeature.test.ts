import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freezeVariable } from '../../../services/detector/blocks/frozenVariable.ts';
import { rateMetrics } from '../../../services/detector/families/qualityRates.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureValue,
} from '../../../services/shared/profile/featureProfile.ts';
import { foldAll, hourMs, type Randomness, syntheticWindows } from './syntheticStream.ts';

function profileOf(values: readonly FeatureValue[]) {
  const profile = emptyFeatureProfile();
  for (const value of values) addValue(profile, value);
  return profile;
}

/** Freezes a variable on a reference with one part for each list of values. */
const frozen = (...parts: FeatureValue[][]) =>
  freezeVariable(
    'feature',
    'x',
    parts.map((values, index) => ({
      startMs: index * hourMs,
      endMs: (index + 1) * hourMs,
      profile: profileOf(values),
    })),
  );

describe('a growing feature', () => {
  it('has at least five parts, each of which lies above the one before', () => {
    expect(frozen([1, 2], [3, 4], [5, 6], [7, 8], [9, 10]).moving).toBe(true);
    expect(frozen([1, 2], [3, 4], [5, 6], [7, 8]).moving).toBe(false);
    expect(frozen([1, 2], [2, 4], [5, 6], [7, 8], [9, 10]).moving).toBe(false);
    expect(frozen([1], [1], [1], [1], [1]).moving).toBe(false);
    expect(frozen(['a'], ['b'], ['c'], ['d'], ['e']).moving).toBe(false);
  });

  it('is recognised only if its parts are in rising order', () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
    fc.assert(
      fc.property(order, indexes => {
        const parts = indexes.map(index => [index * 10, index * 10 + 9]);
        expect(frozen(...parts).moving).toBe(indexes.every((index, at) => index === at));
      }),
    );
  });

  it('may have parts without a value', () => {
    expect(frozen([1], [null], [2], [3], [4], [5]).moving).toBe(true);
    expect(frozen([1], [null], [2], [3], [4]).moving).toBe(false);
  });

  it('is tested for missing values and wrong types, but not for its range', () => {
    const metrics = rateMetrics(frozen([1, 2], [3, 4], [5, 6], [7, 8], [9, 10]));
    expect(metrics).toContain('missing_rate');
    expect(metrics).toContain('wrong_type_rate');
    expect(metrics).not.toContain('out_of_range_rate');
  });

  it('raises no alarm when it grows, but does when values are missing', () => {
    const draw = (missingFrom: number) => (random: Randomness, window: number) => ({
      features: {
        x: random.normal(),
        clock:
          window >= missingFrom && random.uniform() < 0.5
            ? null
            : window * 1000 + 999 * random.uniform(),
      },
      prediction: random.uniform() < 0.5 ? 'up' : 'down',
    });
    const eventsOf = (missingFrom: number) =>
      foldAll(syntheticWindows({ seed: 1, windows: 60, records: 200, recordOf: draw(missingFrom) }))
        .events;
    expect(eventsOf(Number.POSITIVE_INFINITY)).toEqual([]);
    const [event, ...others] = eventsOf(40);
    expect(event).toMatchObject({
      cause: 'data_quality',
      feature: 'clock',
      metric: 'missing_rate',
    });
    expect(others).toEqual([]);
  });
});

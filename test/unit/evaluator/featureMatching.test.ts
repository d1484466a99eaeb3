import { describe, expect, it } from 'vitest';
import { featureMatching } from '../../../services/evaluator/learning/featureMatching.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';
import type { FeatureValue } from '../../../services/shared/profile/featureProfile.ts';
import { profileOf } from '../shared/profile/profileOf.ts';

function records(
  seed: number,
  count: number,
  of: (random: () => number, index: number) => Record<string, FeatureValue>,
) {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => new Map(Object.entries(of(random, index))));
}

const profilesOf = (from: readonly ReadonlyMap<string, FeatureValue>[], ...names: string[]) =>
  new Map(names.map(name => [name, profileOf(from.map(record => record.get(name)))]));

describe('featureMatching', () => {
  const colour = (blue: number) => (random: () => number) => ({
    colour: random() < blue ? 'blue' : 'red',
    x: random(),
  });
  const reference = records(1, 2000, colour(0.3));
  const share = (weights: Float64Array) => {
    const weighted = weights.reduce(
      (sum, weight, index) => sum + (reference[index]!.get('colour') === 'blue' ? weight : 0),
      0,
    );
    return weighted / weights.reduce((sum, weight) => sum + weight, 0);
  };

  it('weights the records so that their features are distributed as in the window', () => {
    const { weights } = featureMatching(reference);
    const window = records(2, 2000, colour(0.7));
    expect(share(weights(profilesOf(window, 'colour', 'x'), window.length))).toBeCloseTo(0.7, 1);
  });

  it('gives equal weights if nothing has changed, or if the window has only unseen values', () => {
    const { weights } = featureMatching(reference);
    const green = new Map([['colour', profileOf(['green', 'green'])]]);
    for (const features of [profilesOf(reference, 'colour', 'x'), green, new Map()])
      for (const weight of weights(features, reference.length)) expect(weight).toBeCloseTo(1, 9);
  });

  it('does not match clocks, because their values never recur', () => {
    const clock = (from: number) =>
      records(3, 1000, (random, index) => ({ clock: from + index, noise: random() }));
    const { weights } = featureMatching(clock(0));
    const later = clock(1_000_000);
    expect(weights(profilesOf(later, 'clock'), later.length)).toEqual(
      new Float64Array(1000).fill(1),
    );
  });

  it('counts records without a feature as missing it', () => {
    const sparse =
      (share: number) =>
      (random: () => number): Record<string, FeatureValue> =>
        random() < share ? { rare: 1 } : { other: 1 };
    const reference = records(4, 2000, sparse(0.5));
    const window = records(5, 1000, sparse(0.1));
    const carrying = window.map(record => record.get('rare')).filter(value => value !== undefined);
    const lacking = window.map(record => record.get('other')).filter(value => value !== undefined);
    const weights = featureMatching(reference).weights(
      new Map([
        ['rare', profileOf(carrying)],
        ['other', profileOf(lacking)],
      ]),
      window.length,
    );
    const weighted = weights.reduce(
      (sum, weight, index) => sum + (reference[index]!.has('rare') ? weight : 0),
      0,
    );
    expect(weighted / weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(0.1, 1);
  });
});

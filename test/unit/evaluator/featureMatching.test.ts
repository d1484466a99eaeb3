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

  it('matches numbers written as text as it matches numbers', () => {
    const amounts = (seed: number, scale: number, asText: boolean) =>
      records(seed, 1000, random => {
        const amount = Number((random() * random() * scale).toFixed(2));
        return { amount: asText ? amount.toFixed(2) : amount };
      });
    const weightsOf = (asText: boolean) => {
      const window = amounts(2, 700, asText);
      const matching = featureMatching(amounts(1, 900, asText));
      return matching.weights(profilesOf(window, 'amount'), window.length);
    };
    expect([...weightsOf(true)]).toEqual([...weightsOf(false)]);
    expect(Math.max(...weightsOf(true))).toBeGreaterThan(1.1);
  });

  it('does not match identifiers, sentences and times, because they hardly come again', () => {
    const draw = (from: number) =>
      records(3, 1000, (random, index) => ({
        order: `ORD-${from + index}`,
        at: new Date((from + index) * 60_000).toISOString(),
        comment: `it came ${Math.floor(random() * 1e6)} days too late`,
      }));
    const { weights } = featureMatching(draw(0));
    const profiles = profilesOf(draw(1_000_000), 'order', 'at', 'comment');
    for (const weight of weights(profiles, 1000)) expect(weight).toBe(1);
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

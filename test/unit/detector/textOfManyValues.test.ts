import { describe, expect, it } from 'vitest';
import type { FeatureValue } from '../../../services/shared/profile/featureProfile.ts';
import { foldAll, type Randomness, syntheticWindows } from './syntheticStream.ts';

type Draw = (random: Randomness, window: number) => Record<string, FeatureValue>;

const names = (count: number, { uniform }: Randomness) => `name ${Math.floor(count * uniform())}`;

/** Streams of text of many values in which nothing changes. */
const steady: Record<string, Draw> = {
  'words of which no two records have the same': random => ({
    word: `${random.uniform()}`.slice(2, 14),
    other: `${random.uniform()}`.slice(2, 14),
  }),
  '5,000 equally frequent names': random => ({
    name: names(5000, random),
    other: names(5000, random),
  }),
  '100 equally frequent names': random => ({
    name: names(100, random),
    other: names(100, random),
  }),
};

const streams = 40;
const windows = 30;

function eventsOf(seed: number, features: Draw) {
  return foldAll(
    syntheticWindows({
      seed,
      windows,
      records: 150,
      recordOf: (random, window) => ({
        features: features(random, window),
        prediction: random.uniform() < 0.5 ? 'yes' : 'no',
      }),
    }),
  ).events;
}

describe('text of many values', () => {
  it.each(Object.entries(steady))('raises no more alarms than the budget allows: %s', (_, draw) => {
    const alarms = Array.from({ length: streams }, (_, seed) => eventsOf(seed + 1, draw).length);
    // The budget allows 0.4: more than 3 come about by chance once in a thousand times.
    expect(alarms.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(3);
  });

  it('alarms when a few of many names become frequent', () => {
    const events = eventsOf(1, (random, window) => ({
      name: window >= 20 && random.uniform() < 0.25 ? 'name 7' : names(5000, random),
    }));
    expect(events).toMatchObject([{ cause: 'data_drift', feature: 'name' }]);
  });

  it('alarms when one of a few that stand out takes the place of another', () => {
    const events = eventsOf(1, (random, window) => ({
      name:
        random.uniform() < 0.6
          ? random.uniform() < (window >= 20 ? 0.8 : 0.4)
            ? 'large'
            : 'small'
          : names(5000, random),
    }));
    expect(events).toMatchObject([{ cause: 'data_drift', feature: 'name' }]);
  });
});

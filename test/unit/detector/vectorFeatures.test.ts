import { describe, expect, it } from 'vitest';
import {
  foldAll,
  hourMs,
  type Randomness,
  randomness,
  syntheticWindows,
} from './syntheticStream.ts';

/** Embeddings: unit vectors around the centres of topics. */
interface Encoder {
  centres: number[][];
  spread: number;
}

const dimension = 24;
const topics = 10;

function encoderOf(seed: number, spread = 0.5): Encoder {
  const { normal } = randomness(seed);
  const common = Array.from({ length: dimension }, normal);
  const centres = Array.from({ length: topics + 1 }, () =>
    unit(common.map(one => 0.7 * one + normal())),
  );
  return { centres, spread };
}

function unit(vector: number[]): number[] {
  const norm = Math.sqrt(vector.reduce((sum, one) => sum + one * one, 0));
  return vector.map(one => one / norm);
}

function embedding({ centres, spread }: Encoder, topic: number, { normal }: Randomness): number[] {
  return unit(centres[topic]!.map(one => one + ((spread * normal()) / Math.sqrt(dimension)) * 2));
}

const anyTopic = ({ uniform }: Randomness) => Math.floor(topics * uniform() ** 1.5);

/**
 * Returns the share of a topic in each window. Its logarithm is normal, with a standard deviation
 * of 0.4.
 *
 * @param kept how much of a deviation is kept in the next window
 */
function sharesOf(kept: number, seed: number, windows: number): number[] {
  const { normal } = randomness(seed + 1000);
  let deviation = normal();
  return Array.from({ length: windows }, () => {
    deviation = kept * deviation + Math.sqrt(1 - kept * kept) * normal();
    return 0.15 * Math.exp(0.4 * deviation);
  });
}

type Draw = (random: Randomness, window: number) => number[] | null | string;

function eventsOf(draw: Draw, { seed = 1, windows = 40, records = 200 } = {}) {
  return foldAll(
    syntheticWindows({
      seed,
      windows,
      records,
      recordOf: (random, window) => ({
        features: { x: random.normal(), text: draw(random, window) },
        prediction: random.uniform() < 0.5 ? 'up' : 'down',
      }),
    }),
  ).events;
}

const encoder = encoderOf(1);
const plain: Draw = random => embedding(encoder, anyTopic(random), random);

describe('a feature that is a vector', () => {
  it('raises no more alarms than the budget allows while nothing changes', () => {
    const alarms = Array.from({ length: 40 }, (_, seed) =>
      eventsOf(plain, { seed: seed + 1, windows: 30, records: 100 }),
    );
    // The budget allows 0.4.
    expect(alarms.flat().length).toBeLessThanOrEqual(3);
  });

  it('raises no more alarms than the budget allows where the shares of topics wander', () => {
    // The share of one topic changes with every window, alone or with the window before.
    const wandering = [0, 0.8].flatMap(kept =>
      Array.from({ length: 20 }, (_, seed) => {
        const shares = sharesOf(kept, seed, 60);
        const draw: Draw = (random, window) =>
          embedding(encoder, random.uniform() < shares[window]! ? 9 : anyTopic(random), random);
        return eventsOf(draw, { seed: seed + 1, windows: 60 });
      }),
    );
    // 2,000 windows, in which the budget allows one alarm on average.
    expect(wandering.flat().length).toBeLessThanOrEqual(2);
  });

  it('finds a change that is larger than the wandering before', () => {
    const shares = sharesOf(0, 1, 40);
    const [event] = eventsOf((random, window) => {
      const share = window < 30 ? shares[window]! : 0.7;
      return embedding(encoder, random.uniform() < share ? 9 : anyTopic(random), random);
    });
    expect(event).toMatchObject({ cause: 'data_drift', feature: 'text' });
    expect(event!.windowStart).toBeGreaterThanOrEqual(30 * hourMs);
  });

  it('alarms when the topics shift, by the direction of the mean', () => {
    const [event] = eventsOf((random, window) => {
      const topic = anyTopic(random);
      return embedding(encoder, window >= 20 && random.uniform() < 0.3 ? 9 : topic, random);
    });
    expect(event).toMatchObject({ cause: 'data_drift', feature: 'text', metric: 'mean_direction' });
    expect(event!.explanation).toContain('points elsewhere');
  });

  it('alarms when the vectors are more spread, by the length of their mean', () => {
    const wider = { ...encoder, spread: 0.62 };
    const [event] = eventsOf((random, window) =>
      embedding(window >= 20 ? wider : encoder, anyTopic(random), random),
    );
    expect(event).toMatchObject({ cause: 'data_drift', feature: 'text', metric: 'mean_length' });
    expect(event!.explanation).toContain('more spread');
  });

  it('says that the encoder changed when the vectors are of another kind', () => {
    const other = encoderOf(2);
    const [event] = eventsOf((random, window) =>
      embedding(window >= 20 ? other : encoder, anyTopic(random), random),
    );
    expect(event).toMatchObject({ cause: 'data_drift', feature: 'text', severity: 'critical' });
    expect(event!.explanation).toContain('probably the encoder changed');
  });

  it('alarms when vectors are of another dimension, not finite, or missing', () => {
    const bad =
      (value: (vector: number[]) => number[] | null | string): Draw =>
      (random, window) => {
        const vector = plain(random, window) as number[];
        return window >= 20 && random.uniform() < 0.2 ? value(vector) : vector;
      };
    const metricOf = (draw: Draw) => eventsOf(draw)[0];
    const quality = { cause: 'data_quality', feature: 'text' };
    expect(metricOf(bad(vector => vector.slice(1)))).toMatchObject({
      ...quality,
      metric: 'wrong_type_rate',
    });
    expect(metricOf(bad(() => 'none'))).toMatchObject({ ...quality, metric: 'wrong_type_rate' });
    expect(metricOf(bad(vector => [...vector.slice(1), Number.NaN]))).toMatchObject({
      ...quality,
      metric: 'non_finite_rate',
    });
    expect(metricOf(bad(() => null))).toMatchObject({ ...quality, metric: 'missing_rate' });
  });
});

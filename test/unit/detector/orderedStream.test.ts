import { describe, expect, it } from 'vitest';

import {
  foldAll,
  hourMs,
  metricsAfter,
  type Randomness,
  syntheticWindows,
} from './syntheticStream.ts';

/**
 * Returns windows of three features that are autocorrelated over many windows. Records of a window
 * are alike, so that none of the features varies by sampling noise.
 */
function orderedWindows(
  seed: number,
  change: (window: number, random: Randomness) => { a?: number; fixed?: number },
) {
  const level = [0, 0, 0];
  let last = -1;
  return syntheticWindows({
    seed,
    windows: 160,
    records: 100,
    recordOf: (random, window) => {
      if (window !== last)
        for (const index of level.keys())
          level[index] = 0.8 * level[index]! + 0.2 * random.normal();
      last = window;
      const [a, b, c] = level.map(mean => mean + random.normal()) as [number, number, number];
      return {
        features: { ...{ a, b, c }, ...change(window, random) },
        prediction: a > 0 ? 'up' : 'down',
      };
    },
  });
}

const orderedStream = (...parameters: Parameters<typeof orderedWindows>) =>
  foldAll(orderedWindows(...parameters));

describe('an ordered stream', { timeout: 60_000 }, () => {
  it.each([1, 2])('raises few alarms (seed %i)', seed => {
    const late = orderedStream(seed, () => ({})).events.filter(
      ({ windowStart }) => windowStart >= 30 * hourMs,
    );
    expect(late.length).toBeLessThanOrEqual(1);
  });

  it('is not tested for trends, because its numbers always go up or down', () => {
    const windows = orderedWindows(1, () => ({}));
    const askedOf = (window: number) =>
      metricsAfter(windows.slice(0, window), windows[window]!)
        .filter(({ metric }) => metric.startsWith('likelihood_ratio'))
        .map(({ feature, metric }) => `${feature} ${metric}`);
    expect(askedOf(150)).toEqual(
      ['a', 'b', 'c', 'prediction'].map(name => `${name} likelihood_ratio`),
    );
  });

  it('alarms when a constant feature begins to vary', () => {
    const { events } = orderedStream(1, (window, random) => ({
      fixed: window < 120 ? 0 : random.normal(),
    }));
    const found = events.filter(({ feature }) => feature === 'fixed');
    expect(found).toHaveLength(1);
    expect(found[0]!.windowStart).toBeLessThanOrEqual(122 * hourMs);
  });

  it('alarms when a feature moves by far more than ever before', () => {
    const { events } = orderedStream(2, (window, random) =>
      window < 120 ? {} : { a: 3 + random.normal() },
    );
    expect(
      events.some(({ windowStart }) => windowStart >= 120 * hourMs && windowStart <= 122 * hourMs),
    ).toBe(true);
  });
});

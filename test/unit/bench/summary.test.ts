import { describe, expect, it } from 'vitest';
import { summarise } from '../../../bench/harness/summary.ts';

describe('summarise', () => {
  const rounds = [
    { value: 60, baseline: 100 },
    { value: 30, baseline: 40 },
    { value: 10, baseline: 20 },
  ];

  it('takes the median of the ratios of the rounds, not the ratio of the medians', () => {
    expect(summarise({ name: 'a', unit: 'events', rounds, target: { atLeast: 0.6 } })).toEqual({
      name: 'a',
      value: 30,
      unit: 'events',
      baseline: 40,
      ratio: 0.6,
      target: { atLeast: 0.6 },
      met: true,
      spread: [0.5, 0.75],
      rounds: 3,
      note: null,
    });
  });

  it('compares a figure without a baseline with the target itself', () => {
    const seconds = [{ value: 3, baseline: null }];
    const { met, ratio, spread } = summarise({
      name: 'a',
      unit: 's',
      rounds: seconds,
      target: { atMost: 2 },
    });
    expect({ met, ratio, spread }).toEqual({ met: false, ratio: null, spread: [3, 3] });
  });
});

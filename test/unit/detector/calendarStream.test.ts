import { describe, expect, it } from 'vitest';
import { foldWindow } from '../../../services/detector/fold/detector.ts';
import type { FoldState } from '../../../services/detector/fold/foldState.ts';
import { context, foldAll, hourMs, syntheticWindows } from './syntheticStream.ts';

const hours = 24 * 20;
const onset = 24 * 17;
/** Standard deviation of an hour's level around the level for that time of day. */
const hourlyNoise = 0.2;

/**
 * Returns windows of an hour with 60 records of two features. Both follow the day with the given
 * amplitude, and their levels vary from hour to hour by `noise`. One of them shifts by `shift` from
 * the onset on.
 */
function windowsOf(seed: number, amplitude: number, noise: number, shift: number) {
  let levels = [0, 0];
  let last = -1;
  return syntheticWindows({
    seed,
    windows: hours,
    records: 60,
    recordOf: (random, hour) => {
      const day = amplitude * Math.sin((2 * Math.PI * hour) / 24);
      if (hour !== last) levels = levels.map(() => day + noise * random.normal());
      last = hour;
      const [a, b] = levels.map(level => level + random.normal()) as [number, number];
      return {
        features: { a: a + (hour < onset ? 0 : shift), b },
        prediction: b > 0 ? 'up' : 'down',
      };
    },
  });
}

/**
 * Returns the cycle that a feature is compared with at each scale, if the last window came once
 * more.
 */
function cyclesOf(state: FoldState, window: ReturnType<typeof windowsOf>[number], name: string) {
  const { results } = foldWindow(state, window, context).judged[0]!.tests;
  return results
    .filter(({ feature, metric }) => feature === name && metric === 'likelihood_ratio')
    .map(({ cycle }) => cycle);
}

describe('a stream that follows the day', { timeout: 60_000 }, () => {
  it('stays within the budget of false alarms after the first two days', () => {
    const seeds = Array.from({ length: 12 }, (_, seed) => seed + 1);
    const known = 48;
    const alarms = seeds.flatMap(seed =>
      foldAll(windowsOf(seed, 1.5, hourlyNoise, 0)).events.filter(
        ({ windowStart }) => windowStart >= known * hourMs,
      ),
    );
    const windows = seeds.length * (hours - known);
    expect(alarms.length / windows).toBeLessThanOrEqual(
      context.detection.falseAlarmsPerThousandWindows / 1000,
    );
  });

  it.each([1, 2, 3])(
    'alarms on a shift that is small compared with the daily cycle (seed %i)',
    seed => {
      const { events } = foldAll(windowsOf(seed, 1.5, hourlyNoise, 2.5 * hourlyNoise));
      const found = events.filter(({ windowStart }) => windowStart >= onset * hourMs);
      expect(found.length).toBeGreaterThan(0);
      expect(found[0]).toMatchObject({ feature: 'a', cause: 'data_drift' });
      expect(found[0]!.windowStart).toBeLessThanOrEqual((onset + 16) * hourMs);
      expect(found[0]!.explanation).toContain('at the same time of the day');
    },
  );

  it('is compared with the same time of the day', () => {
    const windows = windowsOf(1, 1.5, hourlyNoise, 0);
    const { state } = foldAll(windows.slice(0, -1));
    expect(cyclesOf(state, windows.at(-1)!, 'a')[0]).toBe('day');
  });
});

/**
 * Returns six weeks of hourly windows that follow the day and have a higher level at weekends. The
 * level of the last Wednesday is `higher` by that amount.
 */
function weeksOf(seed: number, higher: number) {
  const wednesday = 5 * 7 + 6;
  let level = 0;
  let last = -1;
  return syntheticWindows({
    seed,
    windows: 6 * 168,
    records: 60,
    recordOf: (random, hour) => {
      // The epoch is a Thursday.
      const day = Math.floor(hour / 24);
      const isRest = (day + 3) % 7 >= 5;
      const usual = Math.sin((2 * Math.PI * hour) / 24) + (isRest ? 1 : 0);
      if (hour !== last)
        level = usual + (day === wednesday ? higher : 0) + hourlyNoise * random.normal();
      last = hour;
      const [a, b] = [level + random.normal(), level + random.normal()];
      return { features: { a, b }, prediction: b > 0 ? 'up' : 'down' };
    },
  });
}

describe('a stream that follows the week', { timeout: 60_000 }, () => {
  it('does not alarm on a holiday that looks like another day of the week', () => {
    const { events } = foldAll(weeksOf(1, 1));
    expect(events.filter(({ windowStart }) => windowStart >= 21 * 24 * hourMs)).toEqual([]);
  });

  it('alarms on a day that looks like no other day', () => {
    const { events } = foldAll(weeksOf(1, -1.2));
    expect(
      events.some(({ explanation }) => explanation.includes('at the same time of the week')),
    ).toBe(true);
  });
});

describe('a stream that follows no cycle', { timeout: 60_000 }, () => {
  it('is judged without a calendar if its level varies at random', () => {
    const windows = windowsOf(1, 0, 0.4, 0);
    const { state } = foldAll(windows.slice(0, -1));
    expect(state.inputs.regime!.calendar.size).toBeGreaterThan(0);
    expect(cyclesOf(state, windows.at(-1)!, 'a')).toEqual([null, null, null, null]);
  });

  it('has an empty calendar if it varies by sampling noise alone', () => {
    expect(foldAll(windowsOf(1, 0, 0, 0)).state.inputs.regime!.calendar.size).toBe(0);
  });
});

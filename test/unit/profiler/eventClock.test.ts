import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minLeapRecords } from '../../../services/profiler/counting/eventClock.ts';
import { countPrediction } from '../../../services/profiler/counting/profiler.ts';
import { emptyTally } from '../../../services/profiler/counting/tally.ts';
import { newVersionState } from '../../../services/profiler/counting/versionState.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import { predictionDefaults } from '../../../services/shared/contracts.ts';
import { loggedPrediction } from '../../../services/shared/profile/features.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 1);
const settings = parseSettings('', 'test').of('m');

/** Counts records with these event times, in days after the start, and returns what became of them. */
function countedAt(days: readonly number[]) {
  const state = newVersionState('m', '1', settings);
  const results = days.map((day, offset) => {
    const prediction = loggedPrediction({
      ...predictionDefaults,
      id: `p${offset}`,
      model: 'm',
      version: '1',
      time: startMs + day * dayMs,
      features: { x: 1 },
      prediction: 'yes',
    });
    const result = countPrediction(state, { prediction, offset }, emptyTally());
    return typeof result === 'string' ? result : result.class;
  });
  const clockDay = (state.maxEventTimeMs - startMs) / dayMs;
  return { state, results, clockDay, refused: results.filter(name => name === 'too-late').length };
}

/** Returns the times of a stream with a record a minute, in days. */
function minutes(count: number): number[] {
  return Array.from({ length: count }, (_, minute) => (minute * minuteMs) / dayMs);
}

describe('the clock of a version', () => {
  it.each([1, 2, 3, 4])('is not carried away by %i wrong times', wrongTimes => {
    const times = minutes(2_000);
    times.splice(500, wrongTimes, ...Array(wrongTimes).fill(31));
    const { refused, results, clockDay } = countedAt(times);
    expect(refused).toBe(0);
    expect(results.filter(name => name === 'late')).toEqual([]);
    expect(clockDay).toBe(times.at(-1));
  });

  it('is not carried away by wrong times among right ones', () => {
    const times = minutes(2_000).map((day, index) => (index % 50 === 7 ? day + 40 : day));
    expect(countedAt(times).refused).toBe(0);
  });

  it.each([1, 2, 3, 4])('takes back what %i wrong times at the start have said', wrongTimes => {
    const times = [...Array(wrongTimes).fill(31), ...minutes(100)];
    const { refused, results, clockDay } = countedAt(times);
    expect(refused).toBe(0);
    expect(results.filter(name => name === 'late')).toEqual([]);
    expect(clockDay).toBe(times.at(-1));
  });

  it('goes on after a pause as soon as five records have come', () => {
    const before = minutes(100);
    const after = minutes(minLeapRecords).map(day => day + 60);
    expect(countedAt([...before, ...after.slice(0, -1)]).clockDay).toBe(before.at(-1));
    expect(countedAt([...before, ...after]).clockDay).toBe(60);
    expect(countedAt([...before, ...after, ...minutes(1_000).map(day => day + 61)])).toMatchObject({
      clockDay: 61 + 999 / 1440,
      refused: 0,
    });
  });

  it('follows every record of a stream with one record a week', () => {
    const weeks = Array.from({ length: 20 }, (_, week) => week * 7);
    expect(countedAt(weeks)).toMatchObject({ clockDay: 133, refused: 0 });
  });

  it('still refuses a record that is behind the grace period', () => {
    const times = [...minutes(1_440 * 10), 1];
    expect(countedAt(times).results.at(-1)).toBe('too-late');
  });

  it('never passes the highest event time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1 }), days => {
        const { clockDay, state } = countedAt(days);
        expect(clockDay).toBeLessThanOrEqual(Math.max(...days));
        expect(clockDay).toBeGreaterThanOrEqual(Math.min(...days));
        expect(state.leapRecords).toBeLessThan(minLeapRecords);
      }),
    );
  });
});

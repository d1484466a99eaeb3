import { describe, expect, it } from 'vitest';
import { countBlock } from '../../../services/detector/blocks/block.ts';
import type { Evidence } from '../../../services/detector/families/evidence.ts';
import { weekdayStatement } from '../../../services/detector/fold/earlierWeekdays.ts';
import { initialState, type LongLevel } from '../../../services/detector/fold/foldState.ts';
import { regimeOf } from '../../../services/detector/reference/reference.ts';
import { dayMs } from '../../../services/shared/duration.ts';
import { context, hourMs, observationOf } from './syntheticStream.ts';

/** 1970-01-01 was a Thursday. */
const sunday = 3;

/** Returns a day whose records have labels of these classes. */
function dayWith(day: number, counts: Record<string, number>) {
  const records = Object.entries(counts).flatMap(([label, count]) =>
    Array.from({ length: count }, () => ({ features: {}, prediction: 'a', label })),
  );
  const startMs = day * dayMs;
  return { ...observationOf(0, records), startMs, endMs: startMs + dayMs };
}

/** Returns the level of days on a Sunday, with what the labels were on three weeks before it. */
function daysBefore(
  today: Record<string, number>,
  ofSundays: Record<string, number>,
  ofOthers: Record<string, number>,
): LongLevel {
  const earlier = Array.from({ length: 21 }, (_, day) =>
    dayWith(day, day % 7 === sunday ? ofSundays : ofOthers),
  );
  const regime = regimeOf('bootstrap', earlier, {});
  const now = dayWith(21 + sunday, today);
  const days = initialState(null, context, hourMs).truth.longLevels[0]!;
  const { startMs, endMs, windows, records } = now;
  const block = countBlock(now, { frozen: regime.frozen, pairs: null });
  return {
    ...days,
    regime,
    filling: { startMs, endMs, windows, records, block, observation: null },
  };
}

const labels = { family: 'labels', feature: null, metric: 'likelihood_ratio' } as Evidence;

describe('a day whose labels are like those of earlier Sundays', () => {
  it('is said to be like them', () => {
    const days = daysBefore({ a: 20, b: 80 }, { a: 20, b: 80 }, { a: 60, b: 40 });
    expect(weekdayStatement(days, labels)).toBe('The day so far is like earlier Sundays.');
  });

  it('may lack a rare class of them', () => {
    const days = daysBefore({ a: 20, b: 80 }, { a: 20, b: 80, c: 1 }, { a: 60, b: 40, c: 1 });
    expect(weekdayStatement(days, labels)).toBe('The day so far is like earlier Sundays.');
  });

  it('is not like them where as many other classes are as frequent', () => {
    const days = daysBefore({ a: 20, c: 80 }, { a: 20, b: 80 }, { a: 60, b: 40 });
    expect(weekdayStatement(days, labels)).toBeNull();
  });
});

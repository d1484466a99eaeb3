import { dayMs, weekMs } from '../../shared/duration.ts';

/**
 * A period of the calendar in which windows are pooled. A weak change that no run of eight windows
 * shows is seen in days or weeks.
 */
export interface Period {
  name: 'day' | 'week';
  lengthMs: number;
  /** Number of windows in a period. */
  windows: number;
  /** Number of periods that make a first reference. */
  minReference: number;
}

/** A day is pooled only if the largest scale of the windows is not much shorter. */
const minWindowsOfDay = 12;
const minWindowsOfWeek = 7;
/** 1970-01-01 was a Thursday; weeks begin on Monday. */
const weekOffsetMs = 3 * dayMs;

/**
 * Returns the periods in which windows of a size are pooled, the shorter first.
 *
 * @example periodsOf(3_600_000).map(({ name, windows }) => [name, windows]) // [['day', 24], ['week', 168]]
 */
export function periodsOf(windowSizeMs: number): Period[] {
  const all: Period[] = [
    { name: 'day', lengthMs: dayMs, windows: dayMs / windowSizeMs, minReference: 7 },
    { name: 'week', lengthMs: weekMs, windows: weekMs / windowSizeMs, minReference: 6 },
  ];
  return all.filter(
    ({ name, windows }) =>
      Number.isInteger(windows) && windows >= (name === 'day' ? minWindowsOfDay : minWindowsOfWeek),
  );
}

/** Returns the start of the day or week (UTC, from Monday on) in which a time lies, in ms. */
export function periodStart({ name, lengthMs }: Period, timeMs: number): number {
  const offset = name === 'week' ? weekOffsetMs : 0;
  return Math.floor((timeMs + offset) / lengthMs) * lengthMs - offset;
}

import { dayMs } from '../duration.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import type { TimeWindow } from '../timeWindow.ts';

/** Numbers are times only if they lie within this of the event times. */
const pastMs = 3 * 365 * dayMs;
const futureMs = 365 * dayMs;
/** Predictions from before 1980 are refused, and small numbers are no times. */
const earliestMs = 10 * 365 * dayMs;

const unitsMs: Readonly<Record<string, number>> = {
  'seconds since the epoch': 1000,
  'milliseconds since the epoch': 1,
  'microseconds since the epoch': 1e-3,
  'nanoseconds since the epoch': 1e-6,
  'days since the epoch': dayMs,
};
const written = 'days such as 20260302';

/**
 * Returns what the numbers count if they are times near the event times, and null otherwise: every
 * number has to lie between three years before and one year after.
 *
 * @param parts the numbers in each part of a reference
 * @param span the event times of the reference
 */
export function timeUnitOf(
  parts: readonly NumericHistogram[],
  { startMs, endMs }: TimeWindow,
): string | null {
  const fromMs = Math.max(earliestMs, startMs - pastMs);
  const isNear = (timeMs: number) => timeMs >= fromMs && timeMs <= endMs + futureMs;
  const ends = parts.flatMap(({ minimum, maximum }) => [minimum, maximum]);
  if (ends.length === 0 || parts.some(({ nonFinite, count }) => nonFinite > count)) return null;
  const unit = Object.entries(unitsMs).find(
    ([, unitMs]) =>
      ends.every(end => isNear(end * unitMs)) &&
      // Days are small numbers, so that others may look like them: they have to move with the time.
      (unitMs !== dayMs ||
        ends.every(end => Number.isInteger(end) && isNearDay(end, startMs, endMs))),
  );
  if (unit) return unit[0];
  return ends.every(end => isNear(writtenDayMs(end))) ? written : null;
}

function isNearDay(day: number, startMs: number, endMs: number): boolean {
  return day >= Math.floor(startMs / dayMs) - 1 && day <= Math.floor(endMs / dayMs) + 1;
}

/**
 * Returns the start of the day that the digits of a number write, or NaN.
 *
 * @example [writtenDayMs(20260302), writtenDayMs(20260230)] // [1772409600000, NaN]
 */
export function writtenDayMs(number: number): number {
  if (!Number.isInteger(number) || number < 19700101 || number > 29991231) return Number.NaN;
  const [year, month, day] = [
    Math.floor(number / 10_000),
    Math.floor(number / 100) % 100,
    number % 100,
  ];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? date.getTime()
    : Number.NaN;
}

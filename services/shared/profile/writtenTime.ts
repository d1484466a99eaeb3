import { weekMs } from '../duration.ts';

const clock = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?`;
const zone = String.raw` ?(?:Z|UTC|GMT|([+-])(\d{2}):?(\d{2})?)`;
const yearFirst = new RegExp(
  `^(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})(?:[T ]${clock}(?:${zone})?)?$`,
);
const yearLast = new RegExp(
  `^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4})(?:,?[T ]${clock}(?:${zone})?)?$`,
);
const timeOfDay = new RegExp(`^${clock}$`);
const period = /^(\d{4})-(?:(\d{2})|W(\d{2}))$/;
const month = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?';
const dayName = '(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?';
const namedMonth = new RegExp(
  `^${dayName}(?:(\\d{1,2})[ -]${month}[ -]|${month} (\\d{1,2}),? )(\\d{4})(?:,? ${clock}(?:${zone})?)?$`,
  'i',
);
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const maxLength = 40;

/**
 * Returns the time that a text says, in seconds since the epoch, or NaN if it says none: a month, a
 * week, a day, a day and a time, or a time of the day, which counts from the epoch. Without a zone it
 * is UTC.
 *
 * Of `03/04/2026` the month comes first, of `03.04.2026` and `03-04-2026` the day, unless only the
 * other order makes a day. O(length).
 *
 * @example ['2026-03-02', '2026-03-02T07:00:00+01:00', '02.03.2026', '07:30', 'today'].map(writtenTime)
 * // [1772409600, 1772431200, 1772409600, 27000, NaN]
 */
export function writtenTime(text: string): number {
  if (text.length < 4 || text.length > maxLength) return Number.NaN;
  const first = text.charCodeAt(0);
  if (!(first >= 48 && first <= 57)) return withNamedMonth(text);
  const iso = yearFirst.exec(text);
  if (iso) return secondsOf(Number(iso[1]), Number(iso[3]), Number(iso[4]), iso.slice(5));
  const other = yearLast.exec(text);
  if (other) {
    const [left, right] = [Number(other[1]), Number(other[3])];
    const isMonthFirst = other[2] === '/' ? left <= 12 : right > 12;
    const [month, day] = isMonthFirst ? [left, right] : [right, left];
    return secondsOf(Number(other[4]), month, day, other.slice(5));
  }
  const alone = timeOfDay.exec(text);
  if (alone) return secondsOf(1970, 1, 1, alone.slice(1));
  const whole = period.exec(text);
  if (!whole) return withNamedMonth(text);
  const [, year, ofYear = '1', week] = whole;
  const weeks = week === undefined ? 0 : Number(week) - 1;
  return secondsOf(Number(year), Number(ofYear), 1, []) + (weeks * weekMs) / 1000;
}

function withNamedMonth(text: string): number {
  const named = namedMonth.exec(text);
  if (!named) return Number.NaN;
  const [, day, before, after, dayAfter, year, ...clockAndZone] = named;
  const month = months.indexOf((before ?? after)!.toLowerCase()) + 1;
  return secondsOf(Number(year), month, Number(day ?? dayAfter), clockAndZone);
}

/** @param clockAndZone hours, minutes, seconds, sign, hours and minutes of the zone; as matched */
function secondsOf(
  year: number,
  month: number,
  day: number,
  clockAndZone: readonly (string | undefined)[],
): number {
  const [hours = '0', minutes = '0', seconds = '0', sign, zoneHours = '0', zoneMinutes = '0'] =
    clockAndZone;
  const isClock = Number(hours) <= 24 && Number(minutes) < 60 && Number(seconds) <= 60;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (!isClock || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN;
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60 * (sign === '-' ? -1 : 1);
  const ofDay = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return date.getTime() / 1000 + ofDay - zone;
}

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

const [dash, dot, colon, blank, letterT, zero] = [45, 46, 58, 32, 84, 48] as const;

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
  const plain = plainTime(text);
  if (!Number.isNaN(plain)) return plain;
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

/**
 * Returns the time of the commonest form, `2026-03-02` with nothing behind it or with a time of the
 * day that is UTC; NaN for another form. With it, counting times takes 0.3 µs instead of 0.7.
 */
function plainTime(text: string): number {
  if (text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash) return Number.NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 28 && year > 0)) return Number.NaN;
  const start = daysSinceEpoch(year, month, day) * 86_400;
  if (text.length === 10) return start;
  if (text.charCodeAt(13) !== colon || text.charCodeAt(16) !== colon) return Number.NaN;
  let end = 19;
  if (text.charCodeAt(end) === dot) while (isDigit(text.charCodeAt(end + 1))) end++;
  if (end > 19) end++;
  const isUtc = text.length === end || (text.length === end + 1 && text.endsWith('Z'));
  const separator = text.charCodeAt(10);
  if (!isUtc || (separator !== blank && separator !== letterT)) return Number.NaN;
  const hours = digits(text, 11, 13);
  const minutes = digits(text, 14, 16);
  const seconds = digits(text, 17, 19);
  if (!(hours <= 24 && minutes < 60 && seconds <= 60)) return Number.NaN;
  return start + hours * 3600 + minutes * 60 + seconds;
}

/** Returns the number that digits write, or NaN where there are other characters. */
function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index);
    if (!isDigit(code)) return Number.NaN;
    number = number * 10 + code - zero;
  }
  return number;
}

function isDigit(code: number): boolean {
  return code >= zero && code <= zero + 9;
}

/** Source: Hinnant, "chrono-compatible low-level date algorithms", 2013. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear;
  return era * 146_097 + dayOfEra - 719_468;
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

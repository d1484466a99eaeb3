/** What a rejected time is compared with in messages. */
export const acceptedTimes =
  'a time in ISO 8601 such as 2026-01-31T09:30:00Z or 2026-01-31 09:30:00+01, ' +
  'or a number of s, ms, µs or ns since the epoch';

/**
 * Returns the milliseconds since the epoch of a time as producers write it, or undefined for a
 * value that is no time or may be several:
 *
 * - ISO 8601 with a date of any of its forms, basic or extended, also with a space for the T, with
 *   slashes after the year, and fractions of any length behind a point or comma;
 * - a zone as `Z`, `UTC`, `GMT` or an offset such as `+02`, `+0200`, `+02:00`, also behind a space.
 *   Without a zone it is UTC;
 * - RFC 2822: `Mon, 02 Mar 2026 09:30:00 +0000`;
 * - a number of seconds, ms, µs or ns since the epoch, also with a fraction or as text. The
 *   magnitude tells the unit.
 *
 * Second 60 is the first of the next minute, as in POSIX. Fractions of a millisecond are cut off.
 * @example eventTimeMs('2026-03-02 07:00:00.123456-05') // 1772452800123
 */
export function eventTimeMs(value: unknown): number | undefined {
  if (typeof value === 'number') return epochMs(value);
  if (typeof value === 'bigint') return epochMs(Number(value));
  if (typeof value !== 'string' || value.length > maxTimeCharacters) return undefined;
  const text = value.trim();
  return commonMs(text) ?? isoMs(text) ?? rfc2822Ms(text) ?? numberMs(text);
}

const maxTimeCharacters = 100;

const firstMs = Date.UTC(1980, 0, 1);
const lastMs = Date.UTC(2100, 0, 1);
/**
 * Units of a number between 1980 and 2100, with the ms in one. No number is of that time in two of
 * them. What it is in none of them is taken for ms, and rejected later for its time.
 */
const units: readonly { fromNumber: number; untilNumber: number; perMs: number }[] = [
  1e-3, 1, 1e3, 1e6,
].map(perMs => ({
  fromNumber: firstMs * perMs,
  untilNumber: lastMs * perMs,
  perMs,
}));

/** Returns the ms since the epoch of a number of seconds, ms, µs or ns since the epoch. */
export function epochMs(value: number): number | undefined {
  // Nearly all are in ms.
  if (Number.isInteger(value) && value >= firstMs && value < lastMs) return value;
  if (!Number.isFinite(value)) return undefined;
  const unit = units.find(
    ({ fromNumber, untilNumber }) => value >= fromNumber && value < untilNumber,
  );
  // Rounding to µs first takes away what the fraction of a double has too little.
  if (unit?.perMs === 1e-3) return Math.floor(Math.round(value * 1e6) / 1e3);
  return Math.floor(value / (unit?.perMs ?? 1));
}

const fraction = '(?:[.,](?<fraction>\\d+))?';
const datePatterns = [
  '(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)',
  '(?<year>\\d{4})/(?<month>\\d\\d?)/(?<day>\\d\\d?)',
  '(?<year>\\d{4})(?<month>\\d\\d)(?<day>\\d\\d)',
  '(?<year>\\d{4})-?W(?<week>\\d\\d)-?(?<weekday>\\d)',
  '(?<year>\\d{4})-?(?<ordinal>\\d{3})',
];
const clockPatterns = [
  `(?<hour>\\d\\d):(?<minute>\\d\\d)(?::(?<second>\\d\\d)${fraction})?`,
  `(?<hour>\\d\\d)(?<minute>\\d\\d)(?<second>\\d\\d)${fraction}`,
  '(?<hour>\\d\\d)(?<minute>\\d\\d)?',
];
const offset = '(?<sign>[+\\-−])(?<offsetHour>\\d\\d?)(?::?(?<offsetMinute>\\d\\d)(?::?\\d\\d)?)?';
const zonePattern = `(?:\\s*(?:Z|UTC|GMT|UT|(?:UTC|GMT)?${offset}(?:\\[[\\w/+-]+\\])?))?`;
/** With only a date before it, -05 could be anything. */
const zoneOfDate =
  '(?:\\s*(?:Z|UTC|GMT|(?<sign>[+\\-−])(?<offsetHour>\\d\\d):(?<offsetMinute>\\d\\d)))?';

const isoPatterns = [
  ...datePatterns.flatMap(date =>
    clockPatterns.map(clock => new RegExp(`^${date}(?:T|\\s+)${clock}${zonePattern}$`, 'i')),
  ),
  ...datePatterns.map(date => new RegExp(`^${date}${zoneOfDate}$`, 'i')),
  // As databases and logs print them together; as a number of any unit it would be no time of ours.
  /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)(?<fraction>\d{3})?$/,
];
const commonPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/**
 * Reads the form that nearly all times have, several times as fast as by the patterns. A day or an
 * hour that does not exist is left to them.
 */
function commonMs(text: string): number | undefined {
  if (!commonPattern.test(text)) return undefined;
  const day = twoDigits(text, 8);
  if (day > 28 || twoDigits(text, 11) > 23 || twoDigits(text, 17) > 59) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 48 * 11;
}

type Groups = Record<string, string | undefined>;

function isoMs(text: string): number | undefined {
  let groups: Groups | undefined;
  for (let index = 0; !groups && index < isoPatterns.length; index++)
    groups = isoPatterns[index]!.exec(text)?.groups;
  if (!groups) return undefined;
  const dayMs = dateMs(groups);
  return dayMs === undefined ? undefined : withClock(dayMs, groups);
}

/** Returns the start of a day that exists. */
function dateMs({ year, month, day, week, weekday, ordinal }: Groups): number | undefined {
  const firstMs = Date.UTC(Number(year), 0, 1);
  if (ordinal !== undefined) return within(firstMs + (Number(ordinal) - 1) * dayLengthMs, year);
  if (week !== undefined) return weekDateMs(Number(year), Number(week), Number(weekday));
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return exists ? date.getTime() : undefined;
}

const dayLengthMs = 86_400_000;

function within(ms: number, year: string | undefined): number | undefined {
  return new Date(ms).getUTCFullYear() === Number(year) ? ms : undefined;
}

/** Week 1 is the one with 4 January; its first day is a Monday. */
function weekDateMs(year: number, week: number, weekday: number): number | undefined {
  const mondayOfWeek1 = (inYear: number) => {
    const fourthMs = Date.UTC(inYear, 0, 4);
    return fourthMs - ((new Date(fourthMs).getUTCDay() + 6) % 7) * dayLengthMs;
  };
  const mondayMs = mondayOfWeek1(year) + (week - 1) * 7 * dayLengthMs;
  const exists = week >= 1 && weekday >= 1 && weekday <= 7 && mondayMs < mondayOfWeek1(year + 1);
  return exists ? mondayMs + (weekday - 1) * dayLengthMs : undefined;
}

function withClock(dayMs: number, groups: Groups): number | undefined {
  const [hour, minute, second, offsetHour, offsetMinute] = [
    groups.hour,
    groups.minute,
    groups.second,
    groups.offsetHour,
    groups.offsetMinute,
  ].map(part => Number(part ?? 0)) as [number, number, number, number, number];
  const milliseconds = Number((groups.fraction ?? '').slice(0, 3).padEnd(3, '0'));
  const isMidnight = hour === 24 && minute === 0 && second === 0 && milliseconds === 0;
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 60) return undefined;
  if (offsetHour > 18 || offsetMinute > 59) return undefined;
  const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000 * (groups.sign === '+' ? 1 : -1);
  return dayMs + (hour * 3600 + minute * 60 + second) * 1000 + milliseconds - offsetMs;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const rfc2822 = new RegExp(
  `^(?:[a-z]{3},\\s*)?(?<day>\\d\\d?)\\s+(?<name>${months.join('|')})\\s+(?<year>\\d{4})\\s+` +
    '(?<hour>\\d\\d):(?<minute>\\d\\d)(?::(?<second>\\d\\d))?\\s+' +
    '(?:Z|UTC|GMT|UT|(?<sign>[+-])(?<offsetHour>\\d\\d)(?<offsetMinute>\\d\\d))$',
  'i',
);

function rfc2822Ms(text: string): number | undefined {
  const groups: Groups | undefined = rfc2822.exec(text)?.groups;
  if (!groups) return undefined;
  const month = String(months.indexOf(groups.name!.toLowerCase()) + 1);
  const dayMs = dateMs({ ...groups, month });
  return dayMs === undefined ? undefined : withClock(dayMs, groups);
}

function numberMs(text: string): number | undefined {
  return /^[+-]?\d+(?:\.\d*)?(?:e\+?\d+)?$/i.test(text) ? epochMs(Number(text)) : undefined;
}

import { dayMs, hourMs, weekMs } from '../duration.ts';

/** A function of the event time, by what its name and its values look like. */
interface CalendarFunction {
  name: RegExp;
  value: RegExp;
  /** The time for which it mostly has one value. */
  stepMs: number;
}

const monthMs = 28 * dayMs;
const yearMs = 365 * dayMs;
const yesOrNo = /^([01]|true|false|t|f|yes|no|y|n)$/i;

/** Names are matched in lower case, with `_` between their words and at both ends. */
const calendarFunctions: readonly CalendarFunction[] = [
  {
    name: /_(weekend|wk?end|wknd|holiday|working_?day|business_day)s?_/,
    value: yesOrNo,
    stepMs: dayMs,
  },
  { name: /_(business_hours?|night|day_?time|rush_?hour)_/, value: yesOrNo, stepMs: 4 * hourMs },
  { name: /_(hour|hour_of_(the_)?day|hod)_$/, value: /^(1?\d|2[0-4])$/, stepMs: hourMs },
  {
    name: /_(week_?day|day_?name|day_of_(the_)?week|dow)_$/,
    value: /^([0-7]|(mon|tue|wed|thu|fri|sat|sun)[a-z]*)$/i,
    stepMs: dayMs,
  },
  { name: /_(day|day_of_(the_)?month|dom)_$/, value: /^([12]?\d|3[01])$/, stepMs: dayMs },
  {
    name: /_(month|month_of_(the_)?year|month_name)_$/,
    value: /^(\d|1[0-2]|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)$/i,
    stepMs: monthMs,
  },
  {
    name: /_(week|week_of_(the_)?year|week_(no|num|number)|iso_?week|calendar_week|kw)_$/,
    value: /^([1-4]?\d|5[0-3])$/,
    stepMs: weekMs,
  },
  { name: /_(day_of_(the_)?year|doy)_$/, value: /^([12]?\d?\d|3[0-6]\d)$/, stepMs: dayMs },
  { name: /_(quarter|qtr)_$/, value: /^q?[1-4]$/i, stepMs: 3 * monthMs },
  { name: /_(season)_$/, value: /^(\d|[a-z]+)$/i, stepMs: 3 * monthMs },
  { name: /_year_$/, value: /^(19|20)\d\d$/, stepMs: yearMs },
];

/**
 * Returns the time for which a feature mostly has one value if its name and values are those of a
 * function of the event time, and null otherwise.
 *
 * @param values distinct values as text
 * @example
 * [calendarStepMs('isWeekend', ['0', '1']), calendarStepMs('isWeekend', ['maybe'])]
 * // [86400000, null]
 */
export function calendarStepMs(name: string, values: readonly string[]): number | null {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[^A-Za-z0-9]+/g, '_');
  const matched = `_${words.toLowerCase()}_`;
  const known = calendarFunctions.find(
    one => one.name.test(matched) && values.every(value => one.value.test(value)),
  );
  return known?.stepMs ?? null;
}

/**
 * Returns the SQL of a time, for comparison with a column of type DateTime64.
 * @param milliseconds since the epoch, as a number or in SQL
 * @example timeOf('{fromMs:Int64}') // "fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')"
 */
export function timeOf(milliseconds: number | string): string {
  return `fromUnixTimestamp64Milli(${milliseconds}, 'UTC')`;
}

/** Returns the SQL of the milliseconds since the epoch of a time in SQL. */
export function millisecondsOf(time: string): string {
  return `toUnixTimestamp64Milli(${time})`;
}

/** SQL of the size, in milliseconds, of the window that a row is about. */
export const windowSizeOfRow = `${millisecondsOf('window_end')} - ${millisecondsOf('window_start')}`;

/**
 * Returns the SQL of the start, in milliseconds, of the window that holds a time, like
 * `windowStartMs` for times since 1970.
 * @param windowSizeMs as a number or in SQL
 */
export function windowStartOf(time: string, windowSizeMs: number | string): string {
  return `intDiv(${millisecondsOf(time)}, ${windowSizeMs}) * ${windowSizeMs}`;
}

/**
 * Returns an event time as the text that a column of type DateTime64(3, 'UTC') takes.
 * @example clickhouseTime(0) // '1970-01-01 00:00:00.000'
 */
export function clickhouseTime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, -1).replace('T', ' ');
}

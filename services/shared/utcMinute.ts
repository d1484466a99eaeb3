/**
 * Returns a time as people read it, in UTC and without seconds.
 *
 * @example utcMinute(0) // '1970-01-01 00:00'
 */
export function utcMinute(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
}

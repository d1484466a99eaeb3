export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
export const weekMs = 7 * dayMs;

const unitsMs: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: hourMs,
  d: dayMs,
  w: weekMs,
};

/**
 * Returns the milliseconds of a duration such as `90s`, `15m`, `1h`, `7d`, or null for another
 * text.
 */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim());
  if (!match) return null;
  return Math.round(Number(match[1]) * unitsMs[match[2]!]!);
}

/**
 * Returns a duration in hours or days for a person to read.
 * @example describeDuration(8 * 24 * 3_600_000) // '8 d'
 */
export function describeDuration(milliseconds: number): string {
  const hours = milliseconds / hourMs;
  return hours < 48 ? `${Number(hours.toFixed(1))} h` : `${Number((hours / 24).toFixed(1))} d`;
}

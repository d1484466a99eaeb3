/**
 * Digits after the point to which levels are told apart, so that 0.1 and 0.10000000000000003 are one
 * level, and a window has a bounded number of them.
 */
export const levelDigits = 6;

/**
 * Returns the level of a quantile, or null if a text is no number between 0 and 1.
 *
 * @example levelOf('.10') // 0.1
 */
export function levelOf(text: string): number | null {
  if (!/^\d*\.?\d+(?:e-\d+)?$/i.test(text)) return null;
  const level = Number(Number(text).toFixed(levelDigits));
  return level > 0 && level < 1 ? level : null;
}

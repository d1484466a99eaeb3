const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const code = /^[+-]?0\d/;

/**
 * Returns the number that a text says, or NaN if it says none. Blanks around it do not count.
 * Digits that begin with a needless zero are a code, such as a zip code or an account, and no
 * number. O(length).
 *
 * @example ['15.50', '-1e3', ' 7 ', '01234', '7 kg', ''].map(writtenNumber)
 * // [15.5, -1000, 7, NaN, NaN, NaN]
 */
export function writtenNumber(text: string): number {
  // Most texts that are no numbers begin with a letter.
  const first = text.charCodeAt(0);
  if (!(first <= 57)) return Number.NaN;
  const trimmed = text.trim();
  if (!number.test(trimmed) || code.test(trimmed)) return Number.NaN;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : Number.NaN;
}

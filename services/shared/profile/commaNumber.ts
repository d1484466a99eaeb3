const number = /^[+-]?(?:(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?|,\d+)(?:[eE][+-]?\d+)?$/;
const code = /^[+-]?0\d/;
const thousands = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/**
 * Returns the number that a text says where the comma is the decimal sign and points separate
 * thousands, or NaN if it says none. Otherwise as `writtenNumber`. O(length).
 *
 * @example
 * ['3,14', '1.234,56', '1,234', '7', '3.14'].map(commaNumber) // [3.14, 1234.56, 1.234, 7, NaN]
 */
export function commaNumber(text: string): number {
  const first = text.charCodeAt(0);
  if (!(first <= 57)) return Number.NaN;
  const trimmed = text.trim();
  if (!number.test(trimmed) || code.test(trimmed)) return Number.NaN;
  const digits = trimmed.includes('.') ? trimmed.replaceAll('.', '') : trimmed;
  const value = Number(digits.replace(',', '.'));
  return Number.isFinite(value) ? value : Number.NaN;
}

/**
 * Returns whether the comma in a text that says a number can only be the decimal sign. In `1,234`
 * it may separate thousands as well. O(length).
 *
 * @param number that it says, where that is known (`commaNumber`)
 * @example
 * ['3,14', '0,125', '1.234,567', '1,234', '7'].map(text => hasDecimalComma(text))
 * // [true, true, true, false, false]
 */
export function hasDecimalComma(text: string, number?: number): boolean {
  if (!text.includes(',') || thousands.test(text.trim())) return false;
  return !Number.isNaN(number ?? commaNumber(text));
}

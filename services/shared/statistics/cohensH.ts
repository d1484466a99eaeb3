/**
 * Returns Cohen's h, the size of a change of a rate for any number of records: positive if it rose.
 * A change of five points is large for a rare rate and small for one of a half.
 *
 * Source: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd ed., 1988, chapter 6.
 *
 * @param before rate in [0, 1]
 * @param now rate in [0, 1]
 * @example cohensH(0.001, 0.01) // 0.137
 */
export function cohensH(before: number, now: number): number {
  return angle(now) - angle(before);
}

/**
 * Returns the rate that lies below another by a given h; 0 if none does.
 *
 * @example rateBelow(0.5, 0.1) // 0.450
 */
export function rateBelow(rate: number, h: number): number {
  return Math.sin(Math.max(0, angle(rate) - h) / 2) ** 2;
}

function angle(rate: number): number {
  return 2 * Math.asin(Math.sqrt(rate));
}

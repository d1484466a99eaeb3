import { bisect } from './bisect.ts';
import { logChiSquaredSurvival } from './chiSquaredSurvival.ts';

const maxRemembered = 10_000;
/** A stream asks for the same few thresholds at every window. */
const remembered = new Map<string, number>();

/**
 * Returns the statistic whose chi-squared p-value is `level`, the inverse of `chiSquaredSurvival`,
 * by bisection. As `scipy.stats.chi2.isf`.
 *
 * O(√k) for each of about 45 steps; O(1) when the same threshold was asked for lately. The last
 * 10,000 are remembered.
 *
 * @param degreesOfFreedom above 0, not necessarily a whole number
 * @param level in (0, 1); at 0 the result is Infinity, from 1 on it is 0
 * @example chiSquaredThreshold(1, 0.05) // 3.8415
 */
export function chiSquaredThreshold(degreesOfFreedom: number, level: number): number {
  const key = `${degreesOfFreedom}/${level}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  if (remembered.size >= maxRemembered) remembered.clear();
  const threshold = bisected(degreesOfFreedom, Math.log(level));
  remembered.set(key, threshold);
  return threshold;
}

function bisected(degreesOfFreedom: number, logLevel: number): number {
  const isBelow = (statistic: number) =>
    logChiSquaredSurvival(statistic, degreesOfFreedom) > logLevel;
  let high = degreesOfFreedom + 1;
  while (isBelow(high)) high *= 2;
  return bisect(isBelow, 0, high);
}

import { bisect } from './bisect.ts';
import { logChiSquaredSurvival } from './chiSquaredSurvival.ts';

const bisections = 60;
const mostRemembered = 10_000;
/** A stream asks for the same few thresholds at every window. */
const remembered = new Map<string, number>();

/**
 * The statistic whose chi-squared p-value is `level`, by bisection: the inverse of `chiSquaredSurvival`.
 *
 * @param level in (0, 1)
 * @example chiSquaredThreshold(1, 0.05) // 3.84
 */
export function chiSquaredThreshold(degreesOfFreedom: number, level: number): number {
  const key = `${degreesOfFreedom}/${level}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  if (remembered.size >= mostRemembered) remembered.clear();
  const threshold = bisected(degreesOfFreedom, Math.log(level));
  remembered.set(key, threshold);
  return threshold;
}

function bisected(degreesOfFreedom: number, logLevel: number): number {
  let high = degreesOfFreedom + 1;
  while (logChiSquaredSurvival(high, degreesOfFreedom) > logLevel) high *= 2;
  return bisect(
    statistic => logChiSquaredSurvival(statistic, degreesOfFreedom) > logLevel,
    0,
    high,
    bisections,
  );
}

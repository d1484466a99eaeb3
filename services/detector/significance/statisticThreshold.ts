import { bisect } from '../../shared/statistics/bisect.ts';
import type { Judgement } from './significance.ts';

const bisections = 50;
export const largestStatistic = 2 ** 30;

/** The smallest statistic whose p-value is at most `level`, by bisection; infinite when none up to `largestStatistic` is. */
export function statisticThreshold(
  judgementOf: (statistic: number) => Judgement,
  level: number,
): number {
  const logLevel = Math.log(level);
  let high = 1;
  while (judgementOf(high).logPValue > logLevel) {
    if (high >= largestStatistic) return Number.POSITIVE_INFINITY;
    high *= 2;
  }
  return bisect(statistic => judgementOf(statistic).logPValue > logLevel, 0, high, bisections);
}

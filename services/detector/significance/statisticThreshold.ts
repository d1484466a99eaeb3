import { fallingRoot } from '../../shared/statistics/fallingRoot.ts';
import type { Judgement } from './nullModel.ts';

/** Above this the search ends. */
export const maxStatistic = 2 ** 30;

/**
 * Returns the smallest statistic whose p-value is at most `level`, to a relative 1e-12. Infinite if
 * no statistic up to 2^30 has such a p-value. About 15 judgements for a threshold below 100.
 *
 * @param judgementOf a statistic; its p-value falls as the statistic rises
 * @param level in (0, 1)
 */
export function statisticThreshold(
  judgementOf: (statistic: number) => Judgement,
  level: number,
): number {
  const logLevel = Math.log(level);
  const excess = (statistic: number) => judgementOf(statistic).logPValue - logLevel;
  let low = 0;
  let high = 1;
  while (excess(high) > 0) {
    if (high >= maxStatistic) return Number.POSITIVE_INFINITY;
    low = high;
    high *= 2;
  }
  return excess(low) > 0 ? fallingRoot(excess, low, high) : low;
}

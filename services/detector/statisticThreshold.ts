import type { Judgement } from './significance.ts';

const bisections = 50;
const largest = 1e9;

/** The smallest statistic whose p-value is at most `level`, by bisection; infinite when none is. */
export function statisticThreshold(judgementOf: (statistic: number) => Judgement, level: number): number {
  const logLevel = Math.log(level);
  let high = 1;
  while (judgementOf(high).logPValue > logLevel) {
    high *= 2;
    if (high > largest) return Number.POSITIVE_INFINITY;
  }
  let low = 0;
  for (let step = 0; step < bisections; step++) {
    const middle = (low + high) / 2;
    if (judgementOf(middle).logPValue > logLevel) low = middle;
    else high = middle;
  }
  return high;
}

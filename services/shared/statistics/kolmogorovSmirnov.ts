import { alignedBuckets } from '../bins/alignedBuckets.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { effectiveCount } from './effectiveCount.ts';
import { kolmogorovSurvival, kolmogorovThreshold } from './kolmogorovSurvival.ts';

/**
 * The two-sample Kolmogorov-Smirnov test: D = sup |F(x) − G(x)|, in [0, 1], and its asymptotic p-value,
 * P(K > D √(nm/(n+m))) for the Kolmogorov distribution. With no number on one side: 0, and null.
 *
 * The values of a bucket are ties: D is taken at the ends of buckets only. So it is exact as long as buckets hold one
 * distinct value each, and otherwise too small by at most the share of the fullest bucket (under 3 % of a continuous
 * feature). Ties make the p-value larger than it should be, never smaller: with few distinct values prefer
 * `likelihoodRatioTest`.
 *
 * O(buckets). Source: Smirnov, Annals of Mathematical Statistics 19(2), 1948; Noether, 1963, for the ties.
 *
 * @example kolmogorovSmirnov(histogramOf(1, 2, 3), histogramOf(2, 3, 4)).statistic; // 1/3
 */
export function kolmogorovSmirnov(
  reference: NumericHistogram,
  recent: NumericHistogram,
): { statistic: number; significance: DistanceSignificance | null } {
  if (reference.count === 0 || recent.count === 0) return { statistic: 0, significance: null };
  const aligned = alignedBuckets(reference, recent);
  let statistic = 0;
  let belowReference = 0;
  let belowRecent = 0;
  for (let index = 0; index < aligned.keys.length; index++) {
    belowReference += aligned.reference[index]!;
    belowRecent += aligned.recent[index]!;
    statistic = Math.max(
      statistic,
      Math.abs(belowReference / reference.count - belowRecent / recent.count),
    );
  }
  const root = Math.sqrt(effectiveCount(reference.count, recent.count));
  return {
    statistic,
    significance: {
      pValue: kolmogorovSurvival(statistic * root),
      thresholdAt: level => kolmogorovThreshold(level) / root,
    },
  };
}

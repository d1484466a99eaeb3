import { alignedBuckets } from '../bins/alignedBuckets.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { effectiveCount } from './effectiveCount.ts';
import { kolmogorovSurvival, kolmogorovThreshold } from './kolmogorovSurvival.ts';

/**
 * Runs the two-sample Kolmogorov-Smirnov test of whether two samples come from one distribution.
 *
 *     D = sup |F(x) − G(x)|,   p = P(K > D √(nm / (n + m)))   for the Kolmogorov distribution K
 *
 * The statistic lies in [0, 1]. It is 0, and the significance null, if a sample has no number.
 *
 * The values of a bucket are ties, so D is taken at the ends of buckets only. It is exact where
 * each bucket holds one distinct value, and otherwise too small by at most the share of the fullest
 * bucket (under 3 % for a continuous feature). Ties make the p-value larger than it should be,
 * never smaller; with few distinct values prefer `likelihoodRatioTest`.
 *
 * O(buckets). Sources: Smirnov, Annals of Mathematical Statistics 19(2), 1948, pp. 279-281;
 * Noether, 1963, for the ties. As `scipy.stats.ks_2samp` and `scipy.special.kolmogorov`.
 *
 * @example kolmogorovSmirnov(histogramOf([1, 2, 3]), histogramOf([2, 3, 4])).statistic // 0.33333
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

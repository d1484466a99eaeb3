import type { NumericBins } from './equalMassBins.ts';
import type { CategoryBins } from './frequentCategoryBins.ts';

/**
 * The bins in which the values of a variable are counted: `binnedCounts` counts a profile,
 * `binOfValue` finds one value.
 */
export type FeatureBins = NumericBins | CategoryBins;

/**
 * Returns how many bins hold values that the reference has. All other bins of a `CountVector`
 * follow from it.
 *
 * @example seenBinCount({ kind: 'ranges', mantissaBits: 20, keys: [1, 2, 3] }) // 4
 */
export function seenBinCount(bins: FeatureBins): number {
  if (!('keys' in bins)) return bins.binCount;
  return bins.kind === 'ranges' ? bins.keys.length + 1 : bins.keys.length;
}

import { equalMassBins } from '../../../shared/bins/equalMassBins.ts';
import { lowerBound } from '../../../shared/bins/lowerBound.ts';
import { FINEST_MANTISSA_BITS } from '../../../shared/profile/bucketKey.ts';
import type { NumericHistogram } from '../../../shared/profile/numericHistogram.ts';
import { sortedBuckets } from '../../../shared/profile/sortedBuckets.ts';

/** Ascending bins of scores. */
export interface ScoreBins {
  mantissaBits: number;
  /** Keys of the buckets that end all bins but the last. */
  uppers: number[];
}

const recordsPerBin = 25;
/** Heavy single scores can double their number; a bin still fits into a byte. */
const maxBins = 50;

/**
 * Returns bins of equal mass on the scores of a calibration, at the coarser resolution of those
 * scores and the window's.
 */
export function scoreBins(calibration: NumericHistogram, window: NumericHistogram): ScoreBins {
  const binCount = Math.max(2, Math.min(maxBins, Math.floor(calibration.count / recordsPerBin)));
  const mantissaBits = Math.min(calibration.mantissaBits, window.mantissaBits);
  const { kind, keys } = equalMassBins(calibration, mantissaBits, binCount);
  return { mantissaBits, uppers: kind === 'ranges' ? keys : keys.slice(0, -1) };
}

/** Returns the bin of a score. @param key of the finest buckets */
export function binOfScore({ uppers, mantissaBits }: ScoreBins, key: number): number {
  return lowerBound(uppers, key >> (FINEST_MANTISSA_BITS - mantissaBits));
}

/** Counts the scores of a histogram in each bin. O(buckets log bins). */
export function countsPerBin(
  { uppers, mantissaBits }: ScoreBins,
  scores: NumericHistogram,
): number[] {
  const perBin = new Array<number>(uppers.length + 1).fill(0);
  const { keys, counts } = sortedBuckets(scores, mantissaBits);
  for (const [index, key] of keys.entries()) perBin[lowerBound(uppers, key)]! += counts[index]!;
  return perBin;
}

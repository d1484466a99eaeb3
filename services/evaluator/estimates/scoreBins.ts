import { equalMassBins } from '../../shared/bins/equalMassBins.ts';
import { lowerBound } from '../../shared/bins/lowerBound.ts';
import { FINEST_MANTISSA_BITS } from '../../shared/profile/bucketKey.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
import { sortedBuckets } from '../../shared/profile/sortedBuckets.ts';

/** Bins of scores, ascending, with the keys of buckets that end all but the last. */
export interface ScoreBins {
  mantissaBits: number;
  uppers: number[];
}

const recordsPerBin = 25;

/** Of equal mass on a calibration, at the coarser of both resolutions. */
export function scoreBins(
  calibration: NumericHistogram,
  window: NumericHistogram,
  mostBins: number,
): ScoreBins {
  const binCount = Math.max(2, Math.min(mostBins, Math.floor(calibration.count / recordsPerBin)));
  const mantissaBits = Math.min(calibration.mantissaBits, window.mantissaBits);
  const { kind, keys } = equalMassBins(calibration, mantissaBits, binCount);
  return { mantissaBits, uppers: kind === 'ranges' ? keys : keys.slice(0, -1) };
}

/** @param key of the finest buckets */
export function binOfScore({ uppers, mantissaBits }: ScoreBins, key: number): number {
  return lowerBound(uppers, key >> (FINEST_MANTISSA_BITS - mantissaBits));
}

export function countsPerBin(
  { uppers, mantissaBits }: ScoreBins,
  scores: NumericHistogram,
): number[] {
  const perBin = new Array<number>(uppers.length + 1).fill(0);
  const { keys, counts } = sortedBuckets(scores, mantissaBits);
  for (const [index, key] of keys.entries()) perBin[lowerBound(uppers, key)]! += counts[index]!;
  return perBin;
}

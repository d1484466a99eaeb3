import { bucketKey, FINEST_MANTISSA_BITS } from '../../../shared/profile/bucketKey.ts';
import type { FeatureProfile } from '../../../shared/profile/featureProfile.ts';

/**
 * Counts the predictions of a class in the profile of the predictions. Null if the profile is too
 * coarse to tell.
 *
 * @param spellings texts of the class
 */
export function predictedRecords(
  { numeric, categorical }: FeatureProfile,
  spellings: readonly string[],
): number | null {
  if (categorical.hashed !== null || numeric.mantissaBits < FINEST_MANTISSA_BITS) return null;
  const texts = spellings.reduce((sum, text) => sum + (categorical.exact.get(text) ?? 0), 0);
  if (numeric.count === 0) return texts;
  const numbers = new Set(
    spellings.filter(text => text.trim() !== '' && Number.isFinite(Number(text))).map(Number),
  );
  const buckets = numeric.bucketKeys.subarray(0, numeric.bucketsInUse);
  return [...numbers].reduce((sum, number) => {
    const bucket = buckets.indexOf(bucketKey(number));
    return sum + (bucket < 0 ? 0 : numeric.bucketCounts[bucket]!);
  }, texts);
}

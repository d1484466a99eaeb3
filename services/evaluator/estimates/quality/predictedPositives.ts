import { bucketKey, FINEST_MANTISSA_BITS } from '../../../shared/profile/bucketKey.ts';
import type { FeatureProfile } from '../../../shared/profile/featureProfile.ts';

/**
 * Counts the predictions of a class in the profile of the predictions. Null if the profile is too
 * coarse to tell.
 */
export function predictedPositives(
  { numeric, categorical }: FeatureProfile,
  positiveLabel: string,
): number | null {
  const number = Number(positiveLabel);
  if (categorical.hashed !== null || numeric.mantissaBits < FINEST_MANTISSA_BITS) return null;
  const named = categorical.exact.get(positiveLabel) ?? 0;
  if (numeric.count === 0 || positiveLabel.trim() === '' || !Number.isFinite(number)) return named;
  const bucket = numeric.bucketKeys.subarray(0, numeric.bucketsInUse).indexOf(bucketKey(number));
  return named + (bucket < 0 ? 0 : numeric.bucketCounts[bucket]!);
}

import type { FeatureValue } from '../../../shared/profile/featureProfile.ts';

/** The features of a prediction, as ClickHouse answers. */
export interface StoredFeatures {
  numbers: Record<string, number | string>;
  texts: Record<string, string>;
}

/** Returns the features of a stored prediction, by name. */
export function featuresOf({ numbers, texts }: StoredFeatures): Map<string, FeatureValue> {
  return new Map<string, FeatureValue>([
    // JSON cannot express nan and inf as numbers, so they come as text.
    ...Object.entries(numbers).map(
      ([name, value]) => [name, typeof value === 'number' ? value : Number.NaN] as const,
    ),
    ...Object.entries(texts),
  ]);
}

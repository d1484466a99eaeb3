import {
  type FeatureProfile,
  type FeatureType,
  featureType,
  mergeFeatureProfiles,
} from '../shared/profile/featureProfile.ts';
import { equalMassBins } from '../shared/statistics/equalMassBins.ts';
import type { FeatureBins } from '../shared/statistics/featureBins.ts';
import { frequentCategoryBins } from '../shared/statistics/frequentCategoryBins.ts';
import type { VariableKind } from './windowObservation.ts';

/** More buckets or categories than this, and later windows are likely to be coarser than the reference: see below. */
const fewDistinct = 128;
const spareMantissaBits = 2;
const coarsestMantissaBits = -3;

/**
 * What of a reference all later windows are measured with: its bins, and the range beyond which a number is absurd.
 * Bins stay as they are until the next reference, so that a window is binned once and its counts can be added up.
 */
export interface FrozenVariable {
  kind: VariableKind;
  name: string;
  type: FeatureType;
  bins: FeatureBins;
  /** Bins of values that the reference had; four more follow: unseen, non-finite, wrong type, missing. */
  binCount: number;
  /** The reference's minimum less its width; -Infinity where it has no width. */
  lowestPlausible: number;
  /** The reference's maximum plus its width; Infinity where it has no width. */
  highestPlausible: number;
}

/**
 * Freezes the bins of a variable on the profiles of its reference. A window of more records can be coarser than the
 * reference (see `NumericHistogram`, `CategoricalCounts`), so the bins of a variable with many values are laid at a
 * quarter of its resolution, and those of many categories on their hashes.
 *
 * A number is absurd when it lies outside the reference's range by more than the width of that range: a reference of
 * 0 to 10 makes -11 and 21 absurd, and leaves room for the tail that a thousand records have not shown yet.
 */
export function freezeVariable(kind: VariableKind, name: string, profiles: FeatureProfile[]): FrozenVariable {
  const reference = mergeFeatureProfiles(...profiles);
  const { numeric } = reference;
  const type = featureType(reference);
  const bins = type === 'numeric' ? numericBins(reference) : categoryBins(reference);
  const width = numeric.maximum - numeric.minimum;
  const bounded = type === 'numeric' && width > 0;
  return {
    kind,
    name,
    type,
    bins,
    binCount: binCountOf(bins),
    lowestPlausible: bounded ? numeric.minimum - width : Number.NEGATIVE_INFINITY,
    highestPlausible: bounded ? numeric.maximum + width : Number.POSITIVE_INFINITY,
  };
}

function numericBins({ numeric }: FeatureProfile): FeatureBins {
  const spare = numeric.bucketsInUse > fewDistinct ? spareMantissaBits : 0;
  return equalMassBins(numeric, Math.max(coarsestMantissaBits, numeric.mantissaBits - spare));
}

function categoryBins({ categorical }: FeatureProfile): FeatureBins {
  return frequentCategoryBins(categorical, categorical.hashed !== null || categorical.exact.size > fewDistinct);
}

function binCountOf(bins: FeatureBins): number {
  if (!('keys' in bins)) return bins.binCount;
  return bins.kind === 'ranges' ? bins.keys.length + 1 : bins.keys.length;
}

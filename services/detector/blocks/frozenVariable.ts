import { equalMassBins } from '../../shared/bins/equalMassBins.ts';
import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import { frequentCategoryBins } from '../../shared/bins/frequentCategoryBins.ts';
import {
  type FeatureProfile,
  type FeatureType,
  featureType,
  mergeFeatureProfiles,
} from '../../shared/profile/featureProfile.ts';
import type { VariableKind } from './windowObservation.ts';

/** More buckets or categories than this, and later windows are likely to be coarser than the reference: see below. */
const fewDistinct = 128;
const spareMantissaBits = 2;
const coarsestMantissaBits = -3;
const fewestGrowingParts = 5;

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
  /** True of clocks, counters and ids: it only ever grows, so that no reference can hold. */
  growing: boolean;
  /** Of all references so far. */
  minimum: number;
  maximum: number;
  /** The minimum less the width of the range; -Infinity where it has no width. */
  lowestPlausible: number;
  /** The maximum plus the width of the range; Infinity where it has no width. */
  highestPlausible: number;
}

/**
 * Freezes the bins of a variable on the profiles of its reference. A window of more records can be coarser than the
 * reference (see `NumericHistogram`, `CategoricalCounts`), so the bins of a variable with many values are laid at a
 * quarter of its resolution, and those of many categories on their hashes.
 *
 * A number is absurd when it lies outside the reference's range by more than the width of that range: a reference of
 * 0 to 10 makes -11 and 21 absurd, and leaves room for the tail that a thousand records have not shown yet.
 *
 * @param profiles of the parts of the reference, in order
 * @param earlier what the reference before was like: what it had seen is not absurd, should a season bring it back
 */
export function freezeVariable(
  kind: VariableKind,
  name: string,
  profiles: FeatureProfile[],
  earlier?: FrozenVariable,
): FrozenVariable {
  const reference = mergeFeatureProfiles(...profiles);
  const type = featureType(reference);
  const bins = type === 'numeric' ? numericBins(reference) : categoryBins(reference);
  const minimum = Math.min(reference.numeric.minimum, earlier?.minimum ?? Number.POSITIVE_INFINITY);
  const maximum = Math.max(reference.numeric.maximum, earlier?.maximum ?? Number.NEGATIVE_INFINITY);
  const width = maximum - minimum;
  const bounded = type === 'numeric' && width > 0;
  return {
    kind,
    name,
    type,
    bins,
    binCount: binCountOf(bins),
    growing: isGrowing(profiles),
    minimum,
    maximum,
    lowestPlausible: bounded ? minimum - width : Number.NEGATIVE_INFINITY,
    highestPlausible: bounded ? maximum + width : Number.POSITIVE_INFINITY,
  };
}

/** Whether each part lies above the one before; of five parts of a feature that does not grow, the odds are 1 : 120 at most. */
function isGrowing(profiles: readonly FeatureProfile[]): boolean {
  const parts = profiles.map(({ numeric }) => numeric).filter(({ count }) => count > 0);
  if (parts.length < fewestGrowingParts) return false;
  return parts.every((part, index) => index === 0 || part.minimum > parts[index - 1]!.maximum);
}

function numericBins({ numeric }: FeatureProfile): FeatureBins {
  const spare = numeric.bucketsInUse > fewDistinct ? spareMantissaBits : 0;
  return equalMassBins(numeric, Math.max(coarsestMantissaBits, numeric.mantissaBits - spare));
}

function categoryBins({ categorical }: FeatureProfile): FeatureBins {
  return frequentCategoryBins(
    categorical,
    categorical.hashed !== null || categorical.exact.size > fewDistinct,
  );
}

function binCountOf(bins: FeatureBins): number {
  if (!('keys' in bins)) return bins.binCount;
  return bins.kind === 'ranges' ? bins.keys.length + 1 : bins.keys.length;
}

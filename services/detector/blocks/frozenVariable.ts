import { type FeatureBins, seenBinCount } from '../../shared/bins/featureBins.ts';
import { freezeBins } from '../../shared/bins/freezeBins.ts';
import { isGrowing } from '../../shared/bins/isGrowing.ts';
import {
  type FeatureProfile,
  type FeatureType,
  featureType,
  mergeFeatureProfiles,
} from '../../shared/profile/featureProfile.ts';
import type { VariableKind } from './windowObservation.ts';

/**
 * The part of a variable's reference that later windows are measured with: its bins, and the range
 * beyond which a number is absurd. The bins stay the same until the next reference, so that each
 * window is binned once and its counts can be added up.
 */
export interface FrozenVariable {
  kind: VariableKind;
  name: string;
  type: FeatureType;
  bins: FeatureBins;
  /** The number of seen bins of its count vectors (`seenBinCount`). */
  binCount: number;
  /** Whether it only ever grows, as clocks, counters and ids do, so that no reference can hold. */
  growing: boolean;
  /** The smallest number of all references so far. */
  minimum: number;
  /** The largest number of all references so far. */
  maximum: number;
  /** The minimum less the width of the range; -Infinity if the range has no width. */
  minPlausible: number;
  /** The maximum plus the width of the range; Infinity if the range has no width. */
  maxPlausible: number;
}

/**
 * Freezes a variable on the profiles of a reference, with the bins of `freezeBins`.
 *
 * A number is absurd if it lies outside the range of the reference by more than the width of that
 * range. A reference of 0 to 10 makes -11 and 21 absurd, and leaves room for the tail that a
 * thousand records have not shown yet.
 *
 * O(parts · buckets + buckets log buckets).
 *
 * @param profiles of the parts of the reference, in the order of time
 * @param earlier the same variable of the reference before: what it had seen is not absurd if a
 * season brings it back
 */
export function freezeVariable(
  kind: VariableKind,
  name: string,
  profiles: FeatureProfile[],
  earlier?: FrozenVariable,
): FrozenVariable {
  const reference = mergeFeatureProfiles(...profiles);
  const type = featureType(reference);
  const bins = freezeBins(reference);
  const minimum = Math.min(reference.numeric.minimum, earlier?.minimum ?? Number.POSITIVE_INFINITY);
  const maximum = Math.max(reference.numeric.maximum, earlier?.maximum ?? Number.NEGATIVE_INFINITY);
  const width = maximum - minimum;
  const bounded = type === 'numeric' && width > 0;
  return {
    kind,
    name,
    type,
    bins,
    binCount: seenBinCount(bins),
    growing: isGrowing(profiles.map(({ numeric }) => numeric).filter(({ count }) => count > 0)),
    minimum,
    maximum,
    minPlausible: bounded ? minimum - width : Number.NEGATIVE_INFINITY,
    maxPlausible: bounded ? maximum + width : Number.POSITIVE_INFINITY,
  };
}

import { type FeatureBins, seenBinCount } from '../../shared/bins/featureBins.ts';
import { freezeBins } from '../../shared/bins/freezeBins.ts';
import { isGrowing } from '../../shared/bins/isGrowing.ts';
import { dayMs, weekMs } from '../../shared/duration.ts';
import type { FeatureKind } from '../../shared/featureKind.ts';
import { type FeaturePart, kindOfFeature } from '../../shared/kinds/kindOfFeature.ts';
import { dimensionOf, type ProfileView, viewedProfile } from '../../shared/kinds/viewedProfile.ts';
import {
  type FeatureProfile,
  type FeatureType,
  featureType,
  mergeFeatureProfiles,
} from '../../shared/profile/featureProfile.ts';
import { effectiveDimension } from './vectorChance.ts';
import { meanAxis } from './vectorCounts.ts';
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
  /** Null for an output. */
  featureKind: FeatureKind | null;
  /** Whether the settings name the kind. */
  declared: boolean;
  /** The numbers behind the kind, with an example. */
  evidence: string;
  /** Start of the reference, ms since the epoch. */
  sinceMs: number;
  /** As what the values are counted. */
  view: ProfileView;
  /** The length of its vectors; null for another feature. */
  dimension: number | null;
  /** In how many directions its vectors vary (`effectiveDimension`); 0 for another feature. */
  freedom: number;
  /** The direction of the mean of its vectors, as a unit vector; null for another feature. */
  axis: Float32Array | null;
  /** The value that all records of a part share; null if it varies within parts. */
  constant: string | null;
  /** Whether its values move by themselves, as those of clocks do, so that no reference can hold. */
  moving: boolean;
  /**
   * Whether the range is one of seconds since the start of the block: days and times as text lie
   * about as far from the event time as before.
   */
  sinceStart: boolean;
  /** The smallest number of all references so far. */
  minimum: number;
  /** The largest number of all references so far. */
  maximum: number;
  /** The minimum less the width of the range; -Infinity if the range has no width. */
  minPlausible: number;
  /** The maximum plus the width of the range; Infinity if the range has no width. */
  maxPlausible: number;
}

/** What is known of a variable before it is frozen. */
export interface KnownVariable {
  /** Kind of the feature by the settings. */
  declared?: FeatureKind;
  /**
   * The same variable of the reference before: what it had seen is not absurd if a season brings it
   * back.
   */
  earlier?: FrozenVariable;
}

const movingKinds: ReadonlySet<FeatureKind | null> = new Set<FeatureKind>([
  'time',
  'counter',
  'identifier',
  'calendar',
  'steps',
]);

/**
 * Freezes a variable on a reference, with its kind (`kindOfFeature`) and the bins of `freezeBins`.
 *
 * A number is absurd if it lies outside the range of the reference by more than the width of that
 * range. A reference of 0 to 10 makes -11 and 21 absurd, and leaves room for the tail that a
 * thousand records have not shown yet.
 *
 * O(parts · buckets + buckets log buckets).
 *
 * @param parts of the reference, in the order of time
 */
export function freezeVariable(
  kind: VariableKind,
  name: string,
  parts: readonly FeaturePart[],
  { declared, earlier }: KnownVariable = {},
): FrozenVariable {
  const found =
    kind === 'feature'
      ? { ...kindOfFeature(name, parts, declared, knownKind(earlier)) }
      : { kind: null, view: 'logged' as const, declared: false, evidence: '', constant: null };
  const logged = parts.map(({ profile }) => profile);
  const dimension = dimensionOf(found.view);
  const profiles = logged.map(profile => viewedProfile(profile, found.view)!);
  const reference = mergeFeatureProfiles(...profiles);
  const type = featureType(reference);
  const bins = freezeBins(reference);
  // Times of the day alone count from the epoch, and lie near no event time.
  const sinceStart = found.view === 'times' && reference.numeric.minimum > dayMs / 1000;
  const seen = earlier?.view === found.view ? earlier : undefined;
  const starts = parts.map(({ startMs }) => (sinceStart ? startMs / 1000 : 0));
  const ends = profiles.map(({ numeric }) => numeric);
  const minimum = Math.min(
    ...ends.map((numeric, part) => numeric.minimum - starts[part]!),
    seen?.minimum ?? Number.POSITIVE_INFINITY,
  );
  const maximum = Math.max(
    ...ends.map((numeric, part) => numeric.maximum - starts[part]!),
    seen?.maximum ?? Number.NEGATIVE_INFINITY,
  );
  const width = Math.max(maximum - minimum, sinceStart ? weekMs / 1000 : 0);
  const bounded = type === 'numeric' && width > 0 && found.view !== 'lengths';
  return {
    kind,
    name,
    type,
    bins,
    binCount: seenBinCount(bins),
    featureKind: found.kind,
    declared: found.declared,
    evidence: found.evidence,
    sinceMs: parts[0]!.startMs,
    view: found.view,
    dimension,
    freedom: dimension === null ? 0 : effectiveDimension(logged, dimension),
    axis: dimension === null ? null : meanAxis(logged, dimension),
    constant: found.constant,
    moving: kind === 'feature' ? movingKinds.has(found.kind) : isGrowingOutput(profiles),
    sinceStart,
    minimum,
    maximum,
    minPlausible: bounded ? minimum - width : Number.NEGATIVE_INFINITY,
    maxPlausible: bounded ? maximum + width : Number.POSITIVE_INFINITY,
  };
}

function isGrowingOutput(profiles: readonly FeatureProfile[]): boolean {
  return isGrowing(profiles.map(({ numeric }) => numeric).filter(({ count }) => count > 0));
}

function knownKind(earlier: FrozenVariable | undefined) {
  return earlier?.featureKind
    ? { kind: earlier.featureKind, constant: earlier.constant }
    : undefined;
}

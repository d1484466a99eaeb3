import { emptyFeatureProfile, type FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { RecordBatch } from '../../shared/profile/recordBatch.ts';
import type { Tally } from './tally.ts';

/** What a profile summarises: an input of the model, an output, or a fact about its operation. */
export type ProfileKind = 'feature' | 'output' | 'operation';

/** The profiles of one segment in one window, by kind and name. */
export interface SegmentProfiles extends Record<ProfileKind, Map<string, FeatureProfile>> {
  /** Records that are not in the profiles yet, or null. waitingRecords.ts fills and counts them. */
  waiting: WaitingRecords | null;
}

/** Records that have the same features and wait to be counted together. */
export interface WaitingRecords {
  /** Names of the features. Records with the same features share this array. */
  names: readonly string[];
  /** Number of these names whose values are counted under (other). */
  foldedNames: number;
  /** A column per feature, then one per output. */
  batch: RecordBatch;
}

/** Maximum names of one kind in a segment of a window. Further names share the profile (other). */
const maxNamesPerKind = 4_000;
/** Name of the profile, or value of the segment, that takes what exceeds a limit. */
export const overflowName = '(other)';

export function emptySegmentProfiles(): SegmentProfiles {
  return { feature: new Map(), output: new Map(), operation: new Map(), waiting: null };
}

/** Returns the profile of a name. Begins it if it is new; past the limit, all names share one. */
export function profileOfName(
  profiles: Map<string, FeatureProfile>,
  name: string,
  tally: Tally,
): FeatureProfile {
  const key = profiles.has(name) || profiles.size < maxNamesPerKind ? name : overflowName;
  const known = profiles.get(key);
  if (known) return known;
  const profile = emptyFeatureProfile();
  profiles.set(key, profile);
  tally.newProfiles++;
  return profile;
}

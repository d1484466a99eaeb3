import type { CountVector } from '../../shared/bins/countVector.ts';
import type { FeatureKinds } from '../../shared/featureKind.ts';
import { isLearnable } from '../../shared/kinds/columnReading.ts';
import { viewedProfile } from '../../shared/kinds/viewedProfile.ts';
import { type FeatureProfile, mergeFeatureProfiles } from '../../shared/profile/featureProfile.ts';
import type { SampledRecords } from '../../shared/profile/recordSample.ts';
import { type Binning, type Block, countReferenceBlocks, sumBlocks } from '../blocks/block.ts';
import { freezePairs, pairCounts } from '../blocks/featurePairs.ts';
import { type FrozenVariable, freezeVariable } from '../blocks/frozenVariable.ts';
import { variableKey, type WindowObservation } from '../blocks/windowObservation.ts';
import type { Calendar } from './calendar.ts';
import { maxHistoryBlocks, minReferenceBlocks } from './comparison.ts';
import { fitOutputModel, type OutputModel } from './outputModel.ts';

/**
 * The origin of a reference: the training data, an uploaded file, or the version's own windows.
 */
export type ReferenceSource = 'training' | 'upload' | 'bootstrap';

/**
 * A reference that was published for a version. Its parts show how much it varies within itself.
 */
export interface GivenReference {
  id: string;
  source: Exclude<ReferenceSource, 'bootstrap'>;
  parts: readonly WindowObservation[];
}

/**
 * The reference for the question whether something changed *just now*: a stretch of the stream that
 * is alike. A change ends it, and the blocks since then become the next one. Never changed once
 * made.
 */
export interface Regime extends Binning {
  source: ReferenceSource;
  /** The blocks of the regime, oldest first, at most `maxHistoryBlocks`. */
  history: readonly Block[];
  /** Counts all blocks of the regime except the newest ones. */
  calendar: Calendar;
  /**
   * False while variables that the given reference lacks are being gathered from the version's own
   * windows.
   */
  complete: boolean;
  /** The samples of the last blocks, until there are enough to choose pairs from. */
  gatheredSamples: readonly SampledRecords[];
  /**
   * Fitted to the version's own windows; null if they do not show how outputs follow from features.
   */
  outputModel: OutputModel | null;
}

/** One variable of the first reference of a version. */
export interface VersionVariable {
  source: ReferenceSource;
  frozen: FrozenVariable;
  /** The profile of the whole reference, as the view of the variable shows it. */
  profile: FeatureProfile;
  /** The counts of the whole reference in the frozen bins. */
  counts: CountVector;
}

/**
 * The reference for the question whether the stream is still *like the version's first reference*,
 * by `variableKey`. Unlike the regime, it stays for the life of the version.
 */
export type VersionReference = ReadonlyMap<string, VersionVariable>;

/** What is known of variables before they are frozen. */
export interface FreezeOptions {
  /** Kinds of features by the settings, by name. */
  declared?: FeatureKinds;
  /** Variables that are left out, by `variableKey`. */
  known?: ReadonlyMap<string, FrozenVariable>;
  /** The variables of the reference before, by `variableKey`. */
  earlier?: ReadonlyMap<string, FrozenVariable>;
}

/**
 * Freezes all variables that have at least one value in the observations and are not known yet, in
 * the order of their keys.
 *
 * @param observations the parts of the reference, in the order of time
 */
export function freezeVariables(
  observations: readonly WindowObservation[],
  { declared = {}, known, earlier }: FreezeOptions = {},
): Map<string, FrozenVariable> {
  const variables = Map.groupBy(
    observations.flatMap(({ startMs, endMs, variables }) =>
      Array.from(variables, ([key, variable]) => ({ key, variable, startMs, endMs })),
    ),
    ({ key }) => key,
  );
  const frozen = new Map<string, FrozenVariable>();
  for (const [key, entries] of [...variables].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const { kind, name } = entries[0]!.variable;
    const parts = entries.map(({ variable: { profile }, startMs, endMs }) => ({
      startMs,
      endMs,
      profile,
    }));
    if (known?.has(key) || !parts.some(hasValues)) continue;
    const ofName = Object.hasOwn(declared, name) ? declared[name] : undefined;
    frozen.set(
      key,
      freezeVariable(kind, name, parts, { declared: ofName, earlier: earlier?.get(key) }),
    );
  }
  return frozen;
}

function hasValues({ profile }: { profile: FeatureProfile }): boolean {
  const { numeric, categorical, vectors } = profile;
  return numeric.count + categorical.count + (vectors?.count ?? 0) > 0;
}

/**
 * Starts a regime from the observations of a reference, of which the last 150 are used.
 *
 * @param observations in the order of time
 * @param options with the variables of the regime before
 */
export function regimeOf(
  source: ReferenceSource,
  observations: readonly WindowObservation[],
  options: Omit<FreezeOptions, 'known'>,
): Regime {
  const newest = observations.slice(-maxHistoryBlocks);
  const frozen = freezeVariables(newest, options);
  const given = source !== 'bootstrap';
  const history = countReferenceBlocks(newest, frozen, given);
  const regime: Regime = {
    source,
    frozen,
    history,
    calendar: new Map(),
    complete: !given,
    pairs: null,
    gatheredSamples: [],
    outputModel: given ? null : fitOutputModel(newest, frozen),
  };
  const sampled = newest.slice(newest.findLastIndex(({ sample }) => sample === null) + 1);
  return withSamples(
    regime,
    sampled.flatMap(({ sample }) => sample ?? []),
  );
}

/**
 * Returns a regime whose pairs are known, or are chosen as soon as there are enough samples. They
 * come later than the regime where a reference was given, or where windows are older than samples.
 *
 * @param sample of the last block of the regime; null starts the gathering anew
 */
export function withSample(regime: Regime, sample: SampledRecords | null): Regime {
  if (regime.pairs) return regime;
  return withSamples(regime, sample ? [...regime.gatheredSamples, sample] : []);
}

/**
 * Chooses the pairs of a regime if there are enough samples, and counts them in its last blocks.
 *
 * @param samples of the last blocks
 */
function withSamples(regime: Regime, samples: readonly SampledRecords[]): Regime {
  if (samples.length < minReferenceBlocks) return { ...regime, gatheredSamples: samples };
  const pairs = freezePairs(samples, name => {
    // Identifiers, free text, times and counters depend on nothing that lasts.
    const kind = regime.frozen.get(variableKey('feature', name))?.featureKind;
    return !kind || isLearnable(kind);
  });
  const last = regime.history.slice(-samples.length);
  const counted = last.map((block, index) => ({
    ...block,
    pairs: pairCounts(pairs, samples[index]!),
  }));
  return {
    ...regime,
    pairs,
    gatheredSamples: [],
    history: [...regime.history.slice(0, -samples.length), ...counted],
  };
}

/**
 * Completes a regime with the variables that its given reference lacks. They are frozen on the
 * observations, and counted in the last blocks of the regime.
 *
 * @param observations of the last blocks of the regime
 */
export function completedRegime(
  regime: Regime,
  observations: readonly WindowObservation[],
  declared?: FeatureKinds,
): Regime {
  const added = freezeVariables(observations, { declared, known: regime.frozen });
  const frozen = new Map([...regime.frozen, ...added]);
  const counted = countReferenceBlocks(observations, added, false);
  const earlier = regime.history.slice(0, -observations.length);
  const last = regime.history.slice(-observations.length);
  return {
    ...regime,
    frozen,
    history: [
      ...earlier,
      ...last.map((block, index) => ({
        ...block,
        variables: new Map([...block.variables, ...counted[index]!.variables]),
        vectors: new Map([...block.vectors, ...counted[index]!.vectors]),
        unknownFeatures: new Map(),
      })),
    ],
    complete: true,
    outputModel: fitOutputModel(observations, frozen),
  };
}

/**
 * Returns the reference of a version with the variables that it lacks, frozen on the observations;
 * itself if it lacks none.
 */
export function extendedVersionReference(
  reference: VersionReference,
  source: ReferenceSource,
  observations: readonly WindowObservation[],
  declared?: FeatureKinds,
): VersionReference {
  const known = new Map([...reference].map(([key, { frozen }]) => [key, frozen]));
  const added = freezeVariables(observations, { declared, known });
  if (added.size === 0) return reference;
  const { variables } = sumBlocks(countReferenceBlocks(observations, added, false));
  const extended = new Map(reference);
  for (const [key, frozen] of added) {
    const profiles = observations.flatMap(
      observation => observation.variables.get(key)?.profile ?? [],
    );
    const viewed = profiles.map(profile => viewedProfile(profile, frozen.view)!);
    extended.set(key, {
      source,
      frozen,
      profile: mergeFeatureProfiles(...viewed),
      counts: variables.get(key)!.counts,
    });
  }
  return extended;
}

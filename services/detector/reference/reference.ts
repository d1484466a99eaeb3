import { type FeatureProfile, mergeFeatureProfiles } from '../../shared/profile/featureProfile.ts';
import type { SampledRecords } from '../../shared/profile/recordSample.ts';
import { type Binning, type Block, countReferenceBlocks, sumBlocks } from '../blocks/block.ts';
import { freezePairs, pairCounts } from '../blocks/featurePairs.ts';
import { type FrozenVariable, freezeVariable } from '../blocks/frozenVariable.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import type { Calendar } from './calendar.ts';
import { longestHistoryBlocks, minimumReferenceBlocks } from './comparison.ts';
import { fitOutputModel, type OutputModel } from './outputModel.ts';

/** Where a reference comes from: the training data, a file, or the version's own windows. */
export type ReferenceSource = 'training' | 'upload' | 'bootstrap';

/** A reference that was handed over with the version. Its parts show how much it varies within itself. */
export interface GivenReference {
  id: string;
  source: Exclude<ReferenceSource, 'bootstrap'>;
  parts: readonly WindowObservation[];
}

/** What recent blocks are compared with to see whether something changed *just now*. */
export interface Regime extends Binning {
  source: ReferenceSource;
  /** Oldest first. */
  history: readonly Block[];
  /** Of all blocks of the regime but the last ones. */
  calendar: Calendar;
  /** False while variables that the given reference lacks are still gathered from the version's own windows. */
  complete: boolean;
  /** Of the last blocks, until there are enough. */
  gatheredSamples: readonly SampledRecords[];
  /** Of the version's own windows; null where they do not tell how outputs follow from features. */
  outputModel: OutputModel | null;
}

/** One variable of the version's first reference, for the question whether the stream is still *like that*. */
export interface VersionVariable {
  source: ReferenceSource;
  frozen: FrozenVariable;
  profile: FeatureProfile;
  counts: number[];
}

/** By `variableKey`. It stays for the life of the version, unlike the regime. */
export type VersionReference = ReadonlyMap<string, VersionVariable>;

/** Bins of all variables that hold at least one value somewhere in the observations and are not known yet; `earlier` of the reference before. */
export function freezeVariables(
  observations: readonly WindowObservation[],
  known: ReadonlyMap<string, FrozenVariable> = new Map(),
  earlier: ReadonlyMap<string, FrozenVariable> = new Map(),
): Map<string, FrozenVariable> {
  const profiles = Map.groupBy(
    observations.flatMap(({ variables }) => [...variables]),
    ([key]) => key,
  );
  const frozen = new Map<string, FrozenVariable>();
  for (const [key, entries] of [...profiles].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const parts = entries.map(([, { profile }]) => profile);
    const { kind, name } = entries[0]![1];
    if (!known.has(key) && parts.some(hasValues))
      frozen.set(key, freezeVariable(kind, name, parts, earlier.get(key)));
  }
  return frozen;
}

function hasValues({ numeric, categorical }: FeatureProfile): boolean {
  return numeric.count + categorical.count > 0;
}

export function regimeOf(
  source: ReferenceSource,
  observations: readonly WindowObservation[],
  earlier?: ReadonlyMap<string, FrozenVariable>,
): Regime {
  const newest = observations.slice(-longestHistoryBlocks);
  const frozen = freezeVariables(newest, new Map(), earlier);
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

/** The regime whose last block this sample is of. Where a reference was given, or windows are older than samples, pairs come later. */
export function withSample(regime: Regime, sample: SampledRecords | null): Regime {
  if (regime.pairs) return regime;
  return withSamples(regime, sample ? [...regime.gatheredSamples, sample] : []);
}

/** @param samples of the last blocks */
function withSamples(regime: Regime, samples: readonly SampledRecords[]): Regime {
  if (samples.length < minimumReferenceBlocks) return { ...regime, gatheredSamples: samples };
  const pairs = freezePairs(samples);
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

/** The regime with the variables that it lacked, counted in its last blocks, which are these observations. */
export function completedRegime(
  regime: Regime,
  observations: readonly WindowObservation[],
): Regime {
  const added = freezeVariables(observations, regime.frozen);
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
        unknownFeatures: new Map(),
      })),
    ],
    complete: true,
    outputModel: fitOutputModel(observations, frozen),
  };
}

/** The version's reference with the variables that it lacked. */
export function extendedVersionReference(
  reference: VersionReference,
  source: ReferenceSource,
  observations: readonly WindowObservation[],
): VersionReference {
  const known = new Map([...reference].map(([key, { frozen }]) => [key, frozen]));
  const added = freezeVariables(observations, known);
  if (added.size === 0) return reference;
  const { variables } = sumBlocks(countReferenceBlocks(observations, added, false));
  const extended = new Map(reference);
  for (const [key, frozen] of added) {
    const profiles = observations.flatMap(
      observation => observation.variables.get(key)?.profile ?? [],
    );
    extended.set(key, {
      source,
      frozen,
      profile: mergeFeatureProfiles(...profiles),
      counts: variables.get(key)!.counts,
    });
  }
  return extended;
}

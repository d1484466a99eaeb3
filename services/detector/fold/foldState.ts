import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Block } from '../blocks/block.ts';
import { mergeObservations, type WindowObservation } from '../blocks/windowObservation.ts';
import type { DriftEventContent, StreamName } from '../events/driftEpisode.ts';
import type { Episode } from '../events/episode.ts';
import { type BlockTests, measureReference } from '../families/testFamilies.ts';
import { minReferenceBlocks } from '../reference/comparison.ts';
import {
  extendedVersionReference,
  type GivenReference,
  type ReferenceSource,
  type Regime,
  regimeOf,
  type VersionReference,
} from '../reference/reference.ts';
import {
  emptyStreamHistory,
  type StreamHistory,
  withReference,
} from '../significance/streamHistory.ts';

export type DetectionSettings = ModelSettings['detection'];

export interface FoldContext extends StreamName {
  detection: DetectionSettings;
}

/**
 * State of the detector for one stream (model, version, segment) after a window. A state is never
 * changed.
 */
export interface FoldState {
  /** First reference of the version. It answers "is the stream still like that?". */
  versionReference: VersionReference;
  /**
   * Regime that windows are compared with now. It answers "did the stream just change?". Null until
   * there is a bootstrap reference.
   */
  regime: Regime | null;
  phase: 'bootstrap' | 'watching' | 'settling' | 'renewing';
  /** Blocks that will become a reference, with their profiles. */
  gathered: readonly WindowObservation[];
  /** Windows that are too small to be judged yet, pooled. */
  pending: WindowObservation | null;
  /** The last blocks since the change. */
  since: readonly Block[];
  /** Number of blocks that were folded in this phase. */
  blocksInPhase: number;
  episode: Episode | null;
  /** Variation of the stream so far. */
  history: StreamHistory;
}

export interface Verdict {
  status: 'reference' | 'steady' | 'drift' | 'insufficient_data';
  reference: ReferenceSource;
  /** The present content of the drift event if this window opened, changed or closed it. */
  change: DriftEventContent | null;
}

/** Windows that were judged together, with the results that the verdict was made from. */
export interface JudgedBlock {
  /** The window, pooled with those before it that were too small to be judged on their own. */
  observation: WindowObservation;
  /** The reference that the results compare with. */
  reference: ReferenceSource;
  tests: BlockTests;
}

/** Returns the state before the first window. */
export function initialState(
  given: GivenReference | null,
  { detection }: Pick<FoldContext, 'detection'>,
): FoldState {
  const declared = detection.featureKinds;
  const regime = given ? regimeOf(given.source, given.parts, { declared }) : null;
  return {
    versionReference: given
      ? extendedVersionReference(new Map(), given.source, given.parts, declared)
      : new Map(),
    regime,
    phase: given ? 'watching' : 'bootstrap',
    gathered: [],
    pending: null,
    since: [],
    blocksInPhase: 0,
    episode: null,
    history: regime ? withRegime(emptyStreamHistory, regime, detection) : emptyStreamHistory,
  };
}

/**
 * Returns the windows that are judged together with this one, which are the pending ones and the
 * window itself.
 */
export function pendingBlock({ pending }: FoldState, window: WindowObservation): WindowObservation {
  return pending ? mergeObservations(pending, window) : window;
}

/**
 * Returns the state with a new reference. The version's first reference learns the variables that
 * it lacks.
 */
export function watching(
  state: FoldState,
  regime: Regime,
  gathered: readonly WindowObservation[],
  { featureKinds }: DetectionSettings,
): FoldState {
  return {
    ...state,
    versionReference: extendedVersionReference(
      state.versionReference,
      'bootstrap',
      gathered,
      featureKinds,
    ),
    regime,
    phase: 'watching',
    gathered: [],
    since: [],
    blocksInPhase: 0,
  };
}

/** Adds the variation between the parts of a first reference to the history. */
export function withRegime(
  history: StreamHistory,
  { history: blocks, frozen, pairs }: Regime,
  detection: DetectionSettings,
): StreamHistory {
  const measured = measureReference(blocks, {
    frozen,
    pairs: pairs ?? [],
    detection,
    newFeaturesMatter: false,
    outputModel: null,
  });
  return withReference(history, measured);
}

/** Returns whether the gathered windows are enough for the first reference of a version. */
export function isFirstReference(
  gathered: readonly WindowObservation[],
  detection: DetectionSettings,
): boolean {
  const windows = gathered.reduce((total, observation) => total + observation.windows, 0);
  return windows >= detection.bootstrapWindows && isReference(gathered, detection);
}

/** Returns whether the gathered windows are enough for a reference after a change. */
export function isReference(
  gathered: readonly WindowObservation[],
  detection: DetectionSettings,
): boolean {
  const records = gathered.reduce((total, observation) => total + observation.records, 0);
  return gathered.length >= minReferenceBlocks && records >= detection.bootstrapRecords;
}

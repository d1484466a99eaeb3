import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Block } from '../blocks/block.ts';
import {
  mergeObservations,
  type WindowObservation,
  type WindowPerformance,
} from '../blocks/windowObservation.ts';
import type { Acceptance } from '../events/driftEnd.ts';
import type { DriftEventContent, StreamName } from '../events/driftEpisode.ts';
import { noDrifts, type OpenDrifts } from '../events/episode.ts';
import type { InputFacts } from '../families/inputFacts.ts';
import { type BlockTests, measureReference } from '../families/testFamilies.ts';
import { minReferenceBlocks } from '../reference/comparison.ts';
import { type Period, periodsOf } from '../reference/period.ts';
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
  /** What people have accepted as the new normal, by the id of the drift event. */
  acceptances?: ReadonlyMap<string, Acceptance>;
}

/**
 * What is known of a stream at one level: in its windows, in its days, or in its weeks. Never
 * changed once made.
 */
export interface LevelState {
  /**
   * Regime that blocks are compared with now. It answers "did the stream just change?". Null until
   * there is a bootstrap reference.
   */
  regime: Regime | null;
  phase: 'bootstrap' | 'watching' | 'settling' | 'renewing';
  /** Blocks that will become a reference, with their profiles. */
  gathered: readonly WindowObservation[];
  /** The last blocks since the change. */
  since: readonly Block[];
  /** Number of blocks that were folded in this phase. */
  blocksInPhase: number;
  /** True from an alarm at this level until a new reference has held for some blocks. */
  disturbed: boolean;
  /** Variation of the stream so far. */
  history: StreamHistory;
  /**
   * What labels of the last judged block are tested with; null before, and at the levels of labels.
   */
  facts: InputFacts | null;
}

/** A level whose blocks are whole days or weeks. */
export interface LongLevel extends LevelState {
  period: Period;
  /** The windows of the present day or week so far; null between two of them. */
  filling: Filling | null;
}

/** The windows of a day or week that has not ended. */
export interface Filling {
  startMs: number;
  endMs: number;
  /** Number of windows. */
  windows: number;
  records: number;
  /** Counted in the bins of the regime; null while there is none. */
  block: Block | null;
  /** The merged windows, while the level gathers a reference; null at other times. */
  observation: WindowObservation | null;
}

/** The levels of one fold of a stream. They are themselves that of the windows. */
export interface StreamLevels extends LevelState {
  /** Windows that are too small to be judged yet, pooled. */
  pending: WindowObservation | null;
  /** The levels of days and of weeks, where these are much longer than a window. */
  longLevels: readonly LongLevel[];
}

/** What is known of the inputs and outputs of a stream. It does not depend on any label. */
export interface InputsState extends StreamLevels {
  /** First reference of the version. It answers "is the stream still like that?". */
  versionReference: VersionReference;
  /** Distance of the outputs from the first reference, over the blocks of the present regime. */
  outputs: { records: number; sum: number };
}

/**
 * What is known of the labels and errors of a stream. It stays as it is in a window without labels.
 */
export interface TruthState extends StreamLevels {
  /** The labels of all windows in which no drift was open; null if there are none. */
  usual: WindowPerformance | null;
}

/** State of the detector for one stream (model, version, segment) after a window. Never changed. */
export interface FoldState extends OpenDrifts {
  inputs: InputsState;
  truth: TruthState;
}

export interface Verdict {
  status: 'reference' | 'steady' | 'drift' | 'insufficient_data';
  reference: ReferenceSource;
  /**
   * The present contents of the drift events that this window opened, changed or closed, in this
   * order of time: mostly none, one, or one that ends and another that begins.
   */
  changes: readonly DriftEventContent[];
}

/** A block that was judged at one level, with the results that the verdict was made from. */
export interface JudgedBlock {
  /** Number of windows in a block of the level. */
  windowsPerBlock: number;
  /** The reference that the results compare with. */
  reference: ReferenceSource;
  tests: BlockTests;
}

/** Returns the state before the first window. */
export function initialState(
  given: GivenReference | null,
  context: Pick<FoldContext, 'detection'>,
  windowSizeMs: number,
): FoldState {
  return {
    inputs: initialInputs(given, context, windowSizeMs),
    truth: initialTruth(given, context, windowSizeMs),
    ...noDrifts,
  };
}

export function initialInputs(
  given: GivenReference | null,
  { detection }: Pick<FoldContext, 'detection'>,
  windowSizeMs: number,
): InputsState {
  const parts = given?.parts.map(part => ({ ...part, performance: null }));
  const regime = given && regimeOf(given.source, parts!, { declared: detection.featureKinds });
  return {
    ...initialLevels(regime, detection, windowSizeMs),
    versionReference: given
      ? extendedVersionReference(new Map(), given.source, parts!, detection.featureKinds)
      : new Map(),
    outputs: { records: 0, sum: 0 },
  };
}

/** Returns the state before the first label. A reference without labels is none for them. */
export function initialTruth(
  given: GivenReference | null,
  { detection }: Pick<FoldContext, 'detection'>,
  windowSizeMs: number,
): TruthState {
  const labelled = given?.parts.filter(({ performance }) => (performance?.labelled ?? 0) > 0) ?? [];
  const parts = labelled.map(part => labelsOf(part, part.performance));
  const regime =
    labelled.length > 0 ? { ...regimeOf(given!.source, parts, {}), complete: true } : null;
  return { ...initialLevels(regime, detection, windowSizeMs), usual: null };
}

function initialLevels(
  regime: Regime | null,
  detection: DetectionSettings,
  windowSizeMs: number,
): StreamLevels {
  const level: LevelState = {
    regime,
    phase: regime ? 'watching' : 'bootstrap',
    gathered: [],
    since: [],
    blocksInPhase: 0,
    disturbed: false,
    history: regime ? withRegime(emptyStreamHistory, regime, detection) : emptyStreamHistory,
    facts: null,
  };
  return {
    ...level,
    pending: null,
    longLevels: periodsOf(windowSizeMs).map(period => ({ ...level, period, filling: null })),
  };
}

/** Returns the labels of a window as an observation of its own. */
export function labelsOf(
  window: Pick<WindowObservation, 'startMs' | 'endMs' | 'records' | 'codeVersions'>,
  performance: WindowPerformance | null,
): WindowObservation {
  const { startMs, endMs, records, codeVersions } = window;
  return {
    startMs,
    endMs,
    windows: 1,
    records,
    codeVersions,
    variables: new Map(),
    performance,
    sample: null,
  };
}

/**
 * Returns the windows that are judged together with this one, which are the pending ones and the
 * window itself.
 */
export function pendingBlock(
  { pending }: StreamLevels,
  window: WindowObservation,
): WindowObservation {
  return pending ? mergeObservations(pending, window) : window;
}

/** Returns a level with a new reference. */
export function watching<L extends LevelState>(level: L, regime: Regime): L {
  return { ...level, regime, phase: 'watching', gathered: [], since: [], blocksInPhase: 0 };
}

/** Adds the variation between the parts of a first reference to the history. */
export function withRegime(
  history: StreamHistory,
  { history: blocks, frozen, pairs, outputModel }: Regime,
  detection: DetectionSettings,
): StreamHistory {
  const measured = measureReference(blocks, {
    frozen,
    pairs: pairs ?? [],
    detection,
    budget: detection.falseAlarmsPerThousandWindows / 1000,
    otherFamilies: 0,
    newFeaturesMatter: false,
    outputModel,
    standsStill: () => null,
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

/** Returns whether the gathered blocks are enough for a reference after a change. */
export function isReference(
  gathered: readonly WindowObservation[],
  detection: DetectionSettings,
): boolean {
  const records = gathered.reduce((total, observation) => total + observation.records, 0);
  return gathered.length >= minReferenceBlocks && records >= detection.bootstrapRecords;
}

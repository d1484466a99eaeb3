import type { WindowObservation } from '../blocks/windowObservation.ts';
import { type DriftEventContent, driftEventOf } from '../events/driftEpisode.ts';
import { openDriftsOf } from '../events/episode.ts';
import { families } from '../families/families.ts';
import type { TestResult } from '../families/testResult.ts';
import type { Cycle } from '../reference/calendar.ts';
import { type KnownFeature, knownFeatures } from '../reference/knownFeature.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import { foldWindow } from './detector.ts';
import type { FoldContext, FoldState, InputsState, JudgedBlock, Verdict } from './foldState.ts';

/**
 * Everything that decided on one window of one stream. It explains why the window alarmed or did
 * not.
 */
export interface WindowAccount {
  model: string;
  version: string;
  /** Segment as name=value; empty for all predictions. */
  segment: string;
  windowStartMs: number;
  windowEndMs: number;
  records: number;
  status: Verdict['status'];
  /** Sentence that says why nothing was tested; null if there were tests. */
  untested: string | null;
  /**
   * Sentence that says that only the day or week that the window ended was tested, while the window
   * itself waits for more records; null if that is not so.
   */
  waiting: string | null;
  reference: ReferenceAccount | null;
  /** The drift event that is open after the window, or that the window closed. */
  event: EventAccount | null;
  families: FamilyAccount[];
  /** What the features are by the reference that windows are compared with at this time. */
  features: Pick<KnownFeature, 'feature' | 'kind'>[];
}

export type EventAccount = Pick<
  DriftEventContent,
  | 'id'
  | 'status'
  | 'cause'
  | 'severity'
  | 'feature'
  | 'windowStart'
  | 'explanation'
  | 'persistingSince'
  | 'endReason'
  | 'endedBy'
  | 'standing'
>;

/** The reference that windows are compared with at this time. */
export interface ReferenceAccount {
  source: ReferenceSource;
  /** Number of blocks. A block is a window, or several small windows. */
  blocks: number;
  records: number;
  fromMs: number;
  toMs: number;
}

export interface FamilyAccount {
  name: string;
  question: string;
  changed: boolean;
  /** Sentence that says why a family that says "changed" opened no drift event; empty otherwise. */
  withheld: string;
  /** One entry for each metric of each variable and each scale. */
  tests: TestAccount[];
}

export interface TestAccount {
  kind: TestResult['kind'];
  feature: string;
  metric: string;
  scale: number;
  value: number;
  referenceValue: number | null;
  /** Null if no value would alarm. */
  threshold: number | null;
  pValue: number;
  /** The p-value that was needed. */
  level: number;
  changed: boolean;
  /** How near the test came to its alarm, as ln p / ln level. From 1 on it says "changed". */
  nearness: number;
  records: number;
  referenceRecords: number;
  /**
   * Cycle whose same times the window is compared with; null if it is compared with all earlier
   * windows of the reference.
   */
  cycle: Cycle | null;
  /** Variance of the stream divided by that of independent records; null if it is not learned. */
  overdispersion: number | null;
  /** Probability that the statistic varies as sampling noise does on this stream. */
  noiseWeight: number;
}

/** Folds a window once more and returns every result at every scale. */
export function accountFor(
  before: FoldState,
  window: WindowObservation,
  context: FoldContext,
): WindowAccount {
  const { state, verdict, judged: ofInputs, judgedTruth } = foldWindow(before, window, context);
  const judged = [...ofInputs, ...judgedTruth];
  const { model, version, segment } = context;
  const newest = openDriftsOf(state).at(-1);
  const open = newest ? driftEventOf({ model, version, segment }, newest, null) : null;
  return {
    model,
    version,
    segment,
    windowStartMs: window.startMs,
    windowEndMs: window.endMs,
    records: window.records,
    status: verdict.status,
    untested: judged.length > 0 ? null : whyUntested(before.inputs, state.inputs, context),
    waiting:
      judged.length > 0 && state.inputs.pending
        ? `${waitingText(state.inputs.pending, context)} The day or week that it ended was tested.`
        : null,
    reference: referenceOf(before.inputs),
    event: eventAccount(verdict.changes.at(-1) ?? open),
    families: familiesOf(judged),
    features: before.inputs.regime ? knownFeatures(before.inputs.regime) : [],
  };
}

function eventAccount(event: DriftEventContent | null): EventAccount | null {
  if (!event) return null;
  const { id, status, cause, severity, feature, windowStart, explanation } = event;
  const { persistingSince, endReason, endedBy, standing } = event;
  const ended = { persistingSince, endReason, endedBy, standing };
  return { id, status, cause, severity, feature, windowStart, explanation, ...ended };
}

function whyUntested(before: InputsState, after: InputsState, { detection }: FoldContext): string {
  if (after.pending) return waitingText(after.pending, { detection });
  const windows = before.gathered.reduce((total, part) => total + part.windows, 0) + 1;
  return `The window became part of the first reference, as number ${windows} of at least ${detection.bootstrapWindows}.`;
}

function waitingText(
  { records }: WindowObservation,
  { detection }: Pick<FoldContext, 'detection'>,
): string {
  return `The window waits for more records: ${records} are there and a test needs ${detection.minimumRecords}.`;
}

function referenceOf({ regime }: InputsState): ReferenceAccount | null {
  const [first] = regime?.history ?? [];
  if (!regime || !first) return null;
  return {
    source: regime.source,
    blocks: regime.history.length,
    records: regime.history.reduce((total, { records }) => total + records, 0),
    fromMs: first.startMs,
    toMs: regime.history.at(-1)!.endMs,
  };
}

function familiesOf(judged: readonly JudgedBlock[]): FamilyAccount[] {
  return families.flatMap(({ name, question }) => {
    const accounts = judged.flatMap(({ tests, windowsPerBlock }) =>
      tests.results
        .filter(({ family }) => family === name)
        .map(result => testAccount(result, windowsPerBlock)),
    );
    if (accounts.length === 0) return [];
    return [
      {
        name,
        question,
        changed: accounts.some(({ changed }) => changed),
        withheld: judged.map(({ tests }) => tests.withheld.get(name)).find(Boolean) ?? '',
        tests: accounts,
      },
    ];
  });
}

function testAccount(result: TestResult, windowsPerBlock: number): TestAccount {
  const { kind, feature, metric, scale, value, referenceValue, level, changed } = result;
  const { records, referenceRecords, cycle, noiseWeight, logPValue } = result;
  const { pValue, threshold, overdispersion } = result.detail();
  return {
    kind,
    feature,
    metric,
    scale: scale * windowsPerBlock,
    value,
    referenceValue,
    threshold: Number.isFinite(threshold) ? threshold : null,
    pValue,
    level,
    changed,
    nearness: nearness(logPValue === 0 ? Math.log(pValue) : logPValue, level),
    records,
    referenceRecords,
    cycle,
    overdispersion,
    noiseWeight,
  };
}

/**
 * Returns how near a test came to its alarm.
 * @example nearness(Math.log(0.01), 0.0001) // 0.5
 */
export function nearness(logPValue: number, level: number): number {
  return Math.max(0, logPValue / Math.log(level));
}

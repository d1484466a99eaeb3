import type { ModelVersion, VersionRequest } from '../../shared/contracts.ts';

export type VersionState = NonNullable<ModelVersion['state']>;

/** What the table model_versions says of a version before anybody has asked anything about it. */
export interface TrainedVersion {
  version: string;
  status: ModelVersion['status'];
  /** False as long as the gates have not judged it. */
  isJudged: boolean;
  /** '' if no version had served. */
  championVersion: string;
  datasetId: string;
  /** What the gates said; '' of versions of earlier releases. */
  verdict: string;
  /** When the gates judged it. */
  judgedAtMs: number;
}

/** A step in the life of a version: one change of its state. */
export interface VersionStep {
  /** Number of the request that led to it, among those of the model: 1, 2, … */
  sequence: number;
  version: string;
  /** Null if nothing was known of the version. */
  stateBefore: VersionState | null;
  state: VersionState;
  /** Why, as a sentence. */
  reason: string;
}

/** The answer to a request, and the steps that it led to. */
export interface AnsweredRequest {
  sequence: number;
  request: VersionRequest;
  /** When the request came. */
  answeredAtMs: number;
  accepted: boolean;
  /** The answer, as a sentence. */
  answer: string;
  /** In their order; none if the request was refused. */
  steps: VersionStep[];
}

export interface KnownVersion {
  version: string;
  state: VersionState;
  /** Number of the request that brought it there; 0 if none has. */
  sequence: number;
  /**
   * Place in the order of promotions: a version with a higher one became the champion later. 0 is a
   * version that served before all promotions, and lower ones are those of Driftloop 0.1.
   */
  rank: number;
  /** Null for a version that the retrainer did not make. */
  trained: TrainedVersion | null;
}

/** All versions of a model after a number of answered requests. */
export interface ModelState {
  /** Number of the last request; 0 if there was none. */
  sequence: number;
  versions: ReadonlyMap<string, KnownVersion>;
  /** The version that Driftloop 0.1 approved last, as long as no step says what became of it. */
  formerChampion: string | null;
}

/**
 * Returns the state of a model's versions: what was trained, then every step in its order. It
 * depends on these alone, so it is the same after a restart and in every process.
 */
export function modelState(
  trained: readonly TrainedVersion[],
  answered: readonly AnsweredRequest[],
): ModelState {
  const steps = answered.flatMap(request => request.steps);
  const moved = new Set(steps.map(step => step.version));
  const approvedBefore = trained
    .filter(({ version, status }) => status === 'approved' && !moved.has(version))
    .sort((a, b) => a.judgedAtMs - b.judgedAtMs || (a.version < b.version ? -1 : 1));
  const formerChampion = steps.length === 0 ? approvedBefore.at(-1) : undefined;
  const versions = new Map<string, KnownVersion>();
  for (const one of trained) {
    const { version } = one;
    const place = approvedBefore.indexOf(one);
    const state = stateWhenTrained(one, version === formerChampion?.version, moved.has(version));
    versions.set(version, {
      version,
      state,
      sequence: 0,
      rank: place === -1 ? 0 : place - approvedBefore.length,
      trained: one,
    });
  }
  for (const step of steps) versions.set(step.version, afterStep(versions.get(step.version), step));
  return {
    sequence: answered.at(-1)?.sequence ?? 0,
    versions,
    formerChampion: formerChampion?.version ?? null,
  };
}

function stateWhenTrained(
  { status }: TrainedVersion,
  isChampion: boolean,
  isMoved: boolean,
): VersionState {
  // The steps of a version begin with a candidate, whatever its row says by now.
  if (isMoved || status === 'candidate') return 'candidate';
  if (status === 'rejected') return 'rejected';
  return isChampion ? 'champion' : 'superseded';
}

function afterStep(known: KnownVersion | undefined, step: VersionStep): KnownVersion {
  const { version, state, sequence } = step;
  const isPromoted = step.stateBefore === 'approved' && state === 'champion';
  return {
    version,
    state,
    sequence,
    rank: isPromoted ? sequence : (known?.rank ?? 0),
    trained: known?.trained ?? null,
  };
}

/** Returns the champion, or null if no version was ever promoted. */
export function championOf({ versions }: ModelState): KnownVersion | null {
  return [...versions.values()].find(({ state }) => state === 'champion') ?? null;
}

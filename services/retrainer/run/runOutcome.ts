import type { ModelSettings } from '../../shared/config/settings.ts';
import { seedOf } from '../../shared/seedOf.ts';
import { artifactFailure } from '../artifacts/artifactFailure.ts';
import type { RunOfModel } from '../artifacts/runOfModel.ts';
import type { JudgedVersion } from '../artifacts/runResult.ts';
import type { Cause, Change } from '../causes/retrainer.ts';
import type { TrainingRun } from '../store/trainingRunTable.ts';

/** What is known of a run before it trains anything. */
export interface RunStart extends RunOfModel {
  /** Revision of its first row in training_runs. */
  revision: number;
  cause: Cause;
  settings: ModelSettings;
  /** '' if no version of the model has served. */
  championVersion: string;
  /** The change that the cause is about; null if it is about none. */
  change: Change | null;
  /** Labelled rows of the champion that have matured since then; 0 if the cause is about none. */
  rowsSinceChange: number;
  /** See `GateContext`; of the champion. */
  marginUsed: number;
  startedAtMs: number;
  /** What the table says of a training outside; absent where the retrainer trains. */
  outside?: Pick<TrainingRun, 'deadlineMs' | 'handedOverAtMs'> & { deadlineMs: number };
}

/** What a candidate is trained on, and by what. */
export interface Training {
  datasetId: string;
  /** See `trainerCodeVersion`. */
  trainer: string;
  seed: number;
}

export const nothingTrained: Training = { datasetId: '', trainer: '', seed: 0 };

/**
 * How a run ends. Whatever can be expected to happen is one of these; exceptions are for what is
 * not expected.
 */
export type RunOutcome =
  /** A candidate was trained, approved or rejected, kept and published. */
  | { kind: 'judged'; version: JudgedVersion }
  /**
   * Nothing was trained. The same cause may lead to a training when it comes again. `rowsTried` are
   * the rows since the change if they were looked at, and else 0. `hasStarted` says whether its
   * start was announced.
   */
  | { kind: 'skipped'; reasons: string[]; rowsTried: number; hasStarted?: boolean }
  /** A platform outside trains. The run ends when its result is there, or at the deadline. */
  | { kind: 'waits'; training: Training; deadlineMs: number }
  /** The trainer or the store of artifacts failed. */
  | { kind: 'failed'; reason: string; training: Training }
  /** Another process has begun the run anew, and will say how it ends. */
  | { kind: 'taken-over' };

const maxReasonCharacters = 2_000;

/**
 * Does a part of a run, and turns errors of the store of artifacts into a failed outcome.
 * @param training what has been frozen for the training so far
 */
export async function orFailed(
  training: Training,
  work: () => Promise<RunOutcome>,
): Promise<RunOutcome> {
  try {
    return await work();
  } catch (error) {
    const reason = artifactFailure(error);
    if (reason === null) throw error;
    return { kind: 'failed', reason, training };
  }
}

/** Returns the row of training_runs for a run that starts. */
export function startedRun(run: RunStart): TrainingRun {
  return {
    id: run.runId,
    revision: run.revision,
    cause: run.cause,
    status: 'started',
    reasons: [],
    championVersion: run.championVersion,
    candidateVersion: '',
    rowsSinceChange: run.rowsSinceChange,
    metrics: {},
    ...nothingTrained,
    startedAtMs: run.startedAtMs,
    finishedAtMs: null,
    ...run.outside,
  };
}

/** Returns the row of training_runs for a run that waits for the result of a training outside. */
export function waitingRun(
  run: RunStart,
  { training, deadlineMs }: Extract<RunOutcome, { kind: 'waits' }>,
  revision: number,
): TrainingRun {
  return { ...startedRun({ ...run, outside: { deadlineMs } }), ...training, revision };
}

/** How a run has ended. */
export type EndOfRun = Exclude<RunOutcome, { kind: 'taken-over' | 'waits' }>;

/** Returns the row of training_runs for a run that has ended. */
export function endedRun(
  run: RunStart,
  outcome: EndOfRun,
  revision: number,
  finishedAtMs: number,
): TrainingRun {
  const ended = { ...startedRun(run), revision, finishedAtMs };
  switch (outcome.kind) {
    case 'judged': {
      const { version } = outcome;
      return {
        ...ended,
        status: version.status,
        reasons: version.reasons,
        metrics: version.metrics,
        championVersion: version.championVersion ?? '',
        candidateVersion: version.version,
        datasetId: version.datasetId,
        trainer: version.codeVersion,
        seed: seedOf(version.datasetId),
      };
    }
    case 'skipped':
      return {
        ...ended,
        status: 'skipped',
        reasons: outcome.reasons,
        rowsSinceChange: outcome.rowsTried,
      };
    case 'failed': {
      const reasons = [outcome.reason.slice(0, maxReasonCharacters)];
      return { ...ended, ...outcome.training, status: 'failed', reasons };
    }
  }
}

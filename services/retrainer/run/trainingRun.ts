import type { Logger } from 'pino';
import type { ArtifactStore } from '../../shared/artifacts/artifactStore.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { removeAttempts, withAttemptFolder } from '../artifacts/attemptFolder.ts';
import { modelFolder, safeName } from '../artifacts/modelFolder.ts';
import type { RunOfModel } from '../artifacts/runOfModel.ts';
import { readResult } from '../artifacts/runResult.ts';
import {
  type Cause,
  type ModelHistory,
  runId,
  type TrainingDecision,
  waitsForRows,
} from '../causes/retrainer.ts';
import { minRowsSinceChange } from '../dataset/dataSplit.ts';
import type { RetrainerStore } from '../store/store.ts';
import type { RunState, RunStatus } from '../store/trainingRunTable.ts';
import { type AttemptContext, attemptRun } from './attemptRun.ts';
import { readHandover, waitsFor } from './handOver.ts';
import { endEvent, type LineageEvent, type LineageSources, startEvent } from './lineageEvent.ts';
import { publishResult } from './publishResult.ts';
import {
  endedRun,
  nothingTrained,
  orFailed,
  type RunOutcome,
  type RunStart,
  startedRun,
  waitingRun,
} from './runOutcome.ts';
import { maturedRowsSince, servedSince } from './takeUpCause.ts';

/**
 * Where a run is done. After its signal, the process that gets the cause next does the run again.
 */
export interface TrainingRunContext extends AttemptContext {
  artifacts: ArtifactStore;
  /** Folder of this machine for what is being made. */
  workFolder: string;
  lineage: LineageSources;
  /** Tells others that a training has started or ended. */
  announce(event: LineageEvent): Promise<void>;
  log: Logger;
}

/**
 * Answers a cause with at most one training. A run that has ended is not repeated, and one that was
 * cut off is done again. One that waits for a training outside goes on waiting. One that was skipped may be taken up when the cause comes again, as an
 * ongoing drift does with each revision.
 * @returns how the run ended now, or null if another process has ended it or will
 */
export async function answerCause(
  cause: Cause,
  settings: ModelSettings,
  decide: (history: ModelHistory) => TrainingDecision,
  context: TrainingRunContext,
): Promise<RunStatus | null> {
  const { store, signal } = context;
  signal.throwIfAborted();
  const { model } = cause;
  const known = runOfModel(model, runId(cause), context);
  const log = context.log.child({ model, run: known.runId, cause: `${cause.type} ${cause.id}` });
  const earlier = await store.runs.selectState(model, known.runId);
  if (hasEnded(earlier)) {
    // The process that ended it may have been killed before it had cleaned up.
    await removeAttempts(known);
    return null;
  }
  if (earlier?.waits) return null;
  const history = await store.history.selectHistory(model);
  const championVersion = history.championVersion ?? '';
  const decision = decide(history);
  const run: RunStart = {
    ...known,
    ...(decision.train
      ? await changeOf(cause, championVersion, settings, store)
      : { change: null, rowsSinceChange: 0 }),
    revision: nextRevision(earlier),
    cause,
    settings,
    championVersion,
    marginUsed: decision.train ? await store.history.selectMarginUsed(model, championVersion) : 0,
    startedAtMs: Date.now(),
  };
  const outcome = await outcomeOf(run, decision, { ...context, log });
  return recordOutcome(run, outcome, { ...context, log });
}

/** Returns where the files of a run are. */
export function runOfModel(
  model: string,
  id: string,
  { workFolder, artifacts }: Pick<TrainingRunContext, 'workFolder' | 'artifacts'>,
): RunOfModel {
  return {
    runId: id,
    modelFolder: modelFolder(workFolder, model),
    artifacts: artifacts.below(safeName(model)),
  };
}

/**
 * Publishes the result of a run, perhaps once more, that was cut off after its result was kept.
 * @returns null if there is none
 */
export async function publishedBefore(
  run: RunStart,
  context: AttemptContext,
): Promise<RunOutcome | null> {
  const kept = await readResult(run);
  if (!kept) return null;
  await removeAttempts(run);
  await publishResult(kept, context);
  return { kind: 'judged', version: kept.version };
}

/** Returns how a run ends: as an earlier process left it, as was decided, or after an attempt. */
function outcomeOf(
  run: RunStart,
  decision: TrainingDecision,
  context: TrainingRunContext,
): Promise<RunOutcome> {
  return orFailed(nothingTrained, async () => {
    const before = await publishedBefore(run, context);
    if (before !== null) return before;
    const handover = await readHandover(run);
    if (handover !== null) return waitsFor(handover);
    const reason = reasonToSkip(run, decision);
    if (reason !== null) return { kind: 'skipped', reasons: [reason], rowsTried: 0 };
    await context.store.runs.insert(startedRun(run));
    context.log.info('training run started');
    await context.announce(startEvent(run, context.lineage));
    const outcome = await withAttemptFolder(
      run,
      attempt => attemptRun(run, attempt, context),
      ({ kind }) => kind === 'failed',
    );
    if (outcome?.kind === 'skipped') return { ...outcome, hasStarted: true };
    return outcome ?? { kind: 'taken-over' };
  });
}

/** Returns what is known of the change that a cause is about. */
async function changeOf(
  { model, changedAtMs, driftedVersion }: Cause,
  champion: string,
  settings: ModelSettings,
  { evidence, labelledRows }: RetrainerStore,
): Promise<Pick<RunStart, 'change' | 'rowsSinceChange'>> {
  if (changedAtMs === undefined || champion === '') return { change: null, rowsSinceChange: 0 };
  const drifted = driftedVersion ?? champion;
  const lossBefore = await evidence.selectLossBefore(
    model,
    drifted,
    changedAtMs,
    minRowsSinceChange,
  );
  const change = { model, versions: servedSince(drifted, champion), changedAtMs };
  return {
    change: { atMs: changedAtMs, lossBefore },
    rowsSinceChange: await maturedRowsSince(change, settings, labelledRows),
  };
}

/** Returns why nothing is trained, as far as that is known before rows are read, or null. */
function reasonToSkip(
  { championVersion, change, rowsSinceChange }: RunStart,
  decision: TrainingDecision,
): string | null {
  if (!decision.train) return decision.reason;
  if (championVersion === '') return 'No predictions of this model are known.';
  return change !== null && rowsSinceChange < minRowsSinceChange
    ? waitsForRows(rowsSinceChange, minRowsSinceChange, change.atMs)
    : null;
}

/**
 * Writes how a run ended, or that it waits.
 * @returns its status, or null if it has not ended, or another process has ended it or will
 */
export async function recordOutcome(
  run: RunStart,
  outcome: RunOutcome,
  { store, log, lineage, announce }: TrainingRunContext,
): Promise<RunStatus | null> {
  if (outcome.kind === 'taken-over') {
    log.warn('another process has begun the training run anew');
    return null;
  }
  const meanwhile = await store.runs.selectState(run.cause.model, run.runId);
  // Another process had the same cause in hand and was faster. A result is the same for both; other
  // outcomes give way.
  if (outcome.kind !== 'judged' && hasEnded(meanwhile)) return null;
  if (outcome.kind === 'waits') {
    await store.runs.insert(waitingRun(run, outcome, nextRevision(meanwhile)));
    return null;
  }
  const endedAtMs = Date.now();
  const ended = endedRun(run, outcome, nextRevision(meanwhile), endedAtMs);
  // Before the row, because a run whose row says that it has ended is not looked at again.
  if (outcome.kind !== 'skipped' || outcome.hasStarted)
    await announce(endEvent(run, outcome, endedAtMs, lineage));
  await store.runs.insert(ended);
  const { status, candidateVersion: version, reasons } = ended;
  log.info({ status, version, reasons }, 'training run ended');
  return status;
}

function hasEnded(state: RunState | null): boolean {
  return state !== null && state.status !== 'started' && state.status !== 'skipped';
}

function nextRevision(state: RunState | null): number {
  return (state?.revision ?? 0) + 1;
}

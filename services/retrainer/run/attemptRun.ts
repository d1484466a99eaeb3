import type { ModelSettings } from '../../shared/config/settings.ts';
import { seedOf } from '../../shared/seedOf.ts';
import { claimVersionName } from '../artifacts/claimVersionName.ts';
import { platformName, platformOf } from '../external/trainingRequest.ts';
import type { RetrainerStore } from '../store/store.ts';
import { trainerCodeVersion } from '../trainer/trainerCodeVersion.ts';
import { handOver } from './handOver.ts';
import { judgeCandidate } from './judgeCandidate.ts';
import { modelCard } from './modelCard.ts';
import { publishResult, type ResultTarget } from './publishResult.ts';
import { orFailed, type RunOutcome, type RunStart, type Training } from './runOutcome.ts';
import { datasetRecord, type Snapshot, takeSnapshot } from './snapshot.ts';
import { type Candidate, keepCandidate, trainCandidate } from './trainCandidate.ts';

export interface AttemptContext extends ResultTarget {
  store: RetrainerStore;
  /** Stops the training. */
  signal: AbortSignal;
}

/**
 * Attempts a run: freezes the data, trains a candidate on them, judges it, keeps it with the
 * result, and publishes what is kept. Where a platform outside trains, it is asked instead.
 * @param attempt folder of this attempt alone
 */
export async function attemptRun(
  run: RunStart,
  attempt: string,
  context: AttemptContext,
): Promise<RunOutcome> {
  const { store, signal } = context;
  const { model } = run.cause;
  const { snapshot, refusals } = await takeSnapshot(store.labelledRows, run, attempt);
  const rowsTried = run.rowsSinceChange;
  if (!snapshot) return { kind: 'skipped', reasons: refusals, rowsTried };
  const isRepeated =
    run.cause.attempt !== undefined &&
    (await store.evidence.hasTrainedOn(model, run.cause.id, snapshot.id));
  if (isRepeated) return { kind: 'skipped', reasons: [sameRows], rowsTried };
  const training = trainingOn(snapshot, run.settings);
  await store.datasets.insert(datasetRecord(model, snapshot));
  return orFailed(training, async () => {
    if (platformOf(run.settings.retraining) !== null) return handOver(run, snapshot, training);
    const trained = await trainCandidate(run, snapshot, training.seed, { attempt, signal });
    if (!trained.candidate) return { kind: 'failed', reason: trained.failure, training };
    return judgeAndPublish(run, snapshot, training, trained.candidate, attempt, context);
  });
}

/** Judges a candidate, keeps it with the result, and publishes what is kept. */
export async function judgeAndPublish(
  run: RunStart,
  snapshot: Snapshot,
  training: Training,
  candidate: Candidate,
  attempt: string,
  context: AttemptContext,
): Promise<RunOutcome> {
  const taken = await context.store.versions.selectTakenNames(run.cause.model, run.runId);
  const version = await claimVersionName(run.championVersion, taken, run);
  const result = judgeCandidate(run, snapshot, training, candidate, version);
  const card = modelCard({ run, snapshot, training, candidate, version: result.version });
  const kept = await keepCandidate(candidate, card, result, run, attempt);
  await publishResult(kept, context);
  return { kind: 'judged', version: kept.version };
}

const sameRows = 'An earlier training of this cause had the same rows.';

function trainingOn({ id }: Snapshot, { retraining }: ModelSettings): Training {
  const platform = platformOf(retraining);
  const trainer = platform ? platformName(platform) : trainerCodeVersion(retraining.command);
  return { datasetId: id, trainer, seed: seedOf(id) };
}

import type { ModelSettings } from '../../shared/config/settings.ts';
import { seedOf } from '../../shared/seedOf.ts';
import { claimVersionName } from '../artifacts/claimVersionName.ts';
import type { RetrainerStore } from '../store/store.ts';
import { trainerCodeVersion } from '../trainer/trainerCodeVersion.ts';
import { judgeCandidate } from './judgeCandidate.ts';
import { modelCard } from './modelCard.ts';
import { publishResult, type ResultTarget } from './publishResult.ts';
import { orFailed, type RunOutcome, type RunStart, type Training } from './runOutcome.ts';
import { datasetRecord, type Snapshot, takeSnapshot } from './snapshot.ts';
import { keepCandidate, trainCandidate } from './trainCandidate.ts';

export interface AttemptContext extends ResultTarget {
  store: RetrainerStore;
  /** Stops the training. */
  signal: AbortSignal;
}

/**
 * Attempts a run: freezes the data, trains a candidate on them, judges it, keeps it with the
 * result, and publishes what is kept.
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
    const trained = await trainCandidate(run, snapshot, training.seed, { attempt, signal });
    if (!trained.candidate) return { kind: 'failed', reason: trained.failure, training };
    const { candidate } = trained;
    const taken = await store.versions.selectTakenNames(model, run.runId);
    const version = await claimVersionName(run.championVersion, taken, run);
    const result = judgeCandidate(run, snapshot, training, candidate, version);
    const card = modelCard({ run, snapshot, training, candidate, version: result.version });
    const kept = await keepCandidate(candidate, card, result, run, attempt);
    await publishResult(kept, context);
    return { kind: 'judged', version: kept.version };
  });
}

const sameRows = 'An earlier training of this cause had the same rows.';

function trainingOn({ id }: Snapshot, { retraining }: ModelSettings): Training {
  return { datasetId: id, trainer: trainerCodeVersion(retraining.command), seed: seedOf(id) };
}

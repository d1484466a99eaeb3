import type { ModelSettings } from '../../shared/config/settings.ts';
import {
  type CauseState,
  type EarlierTraining,
  isBack,
  isDue,
  mayTrain,
  pendingCauses,
} from '../causes/pendingCauses.ts';
import { type Cause, runId } from '../causes/retrainer.ts';
import { hasRoutine, routineCause } from '../causes/routineCause.ts';
import { minRowsSinceChange } from '../dataset/dataSplit.ts';
import { maturedUntilMs } from '../dataset/maturedUntil.ts';
import type { ChangeOfVersions } from '../store/labelledRowQueries.ts';
import type { RetrainerStore } from '../store/store.ts';

type Store = Pick<RetrainerStore, 'history' | 'evidence' | 'labelledRows' | 'runs'>;

/** What is known of a model when labels have come. */
interface Evidence {
  model: string;
  /** The version that serves. */
  version: string;
  settings: ModelSettings;
  /** End of the newest window whose labels have come. */
  nowMs: number;
  trainings: EarlierTraining[];
}

/**
 * Returns the cause that labels have made due, or null: a drift whose harm is not over, of which
 * enough labelled rows have matured since the last attempt, or else so many rows or so much time
 * since the last training as the settings say. The answer follows from the tables, so a
 * restarted retrainer goes on where it was.
 * @param nowMs end of the newest window whose labels have come
 */
export async function causeToTakeUp(
  model: string,
  nowMs: number,
  settings: ModelSettings,
  store: Store,
): Promise<Cause | null> {
  const { history, evidence } = store;
  const causes = await evidence.selectCauses(model);
  if (causes.length === 0 && !hasRoutine(settings)) return null;
  const { championVersion: version } = await history.selectHistory(model);
  if (version === null) return null;
  const trainings = await evidence.selectTrainings(model);
  if (!mayTrain(trainings, nowMs, settings)) return null;
  const known = { model, version, settings, nowMs, trainings };
  return (await dueDrift(known, causes, store)) ?? dueRoutine(known, store);
}

async function dueDrift(
  { model, version, settings, nowMs, trainings }: Evidence,
  causes: readonly CauseState[],
  { evidence, labelledRows }: Store,
): Promise<Cause | null> {
  const pending = pendingCauses(causes, version, trainings, settings);
  const champion = { model, version };
  for (const cause of pending) {
    const { id, attempts, changedAtMs, rowsTried, version: driftedVersion } = cause;
    const change = { model, versions: servedSince(driftedVersion, version), changedAtMs };
    // Most of the time too few labels are there, and that is asked cheaply.
    const labelled = await labelledRows.countSince(change, nowMs);
    if (!isDue(labelled, rowsTried, minRowsSinceChange)) continue;
    const matured = await maturedRowsSince(change, settings, labelledRows);
    if (!isDue(matured, rowsTried, minRowsSinceChange)) continue;
    if (attempts > 0 && (await isHarmOver(champion, cause, pending, evidence))) continue;
    return { type: 'drift_event', id, model, attempt: attempts, changedAtMs, driftedVersion };
  }
  return null;
}

async function dueRoutine(
  { model, version, settings, nowMs, trainings }: Evidence,
  { history, labelledRows, runs }: Store,
): Promise<Cause | null> {
  if (!hasRoutine(settings)) return null;
  const [last] = trainings;
  const lastMs = last?.toMs ?? (await history.selectFirstEventTime(model, version));
  const since = { model, versions: [version], changedAtMs: lastMs };
  const rows = await labelledRows.countSince(since, nowMs);
  const cause = routineCause({ model, lastMs, nowMs, rows }, settings);
  if (cause === null) return null;
  const earlier = await runs.selectState(model, runId(cause));
  // One that was cut off is done again, and one that was skipped is not.
  return earlier === null || earlier.status === 'started' ? cause : null;
}

/** Returns the versions that have served since a drift: the one that drifted, and the champion. */
export function servedSince(driftedVersion: string, champion: string): string[] {
  return [...new Set([driftedVersion, champion])];
}

/** Returns how many labelled rows of versions have matured since a change. */
export async function maturedRowsSince(
  change: ChangeOfVersions,
  { retraining, windowSizeMs }: ModelSettings,
  labelledRows: Store['labelledRows'],
): Promise<number> {
  const { model } = change;
  const newest = await labelledRows.selectNewestRange(model, retraining.maximumRows);
  if (newest === null) return 0;
  const coverage = await labelledRows.selectCoverage(model, newest, windowSizeMs);
  return labelledRows.countSince(change, Math.min(newest.toMs, maturedUntilMs(coverage)));
}

/**
 * Returns whether the champion is as good as the version that drifted was before: before the first
 * of the changes, where the champion itself has drifted. A version that was made for the drift is
 * judged when it has labels of its own.
 */
async function isHarmOver(
  { model, version }: { model: string; version: string },
  cause: CauseState,
  pending: readonly CauseState[],
  evidence: Store['evidence'],
): Promise<boolean> {
  const drifted = cause.version;
  const firstMs = Math.min(
    ...pending.filter(other => other.version === drifted).map(({ changedAtMs }) => changedAtMs),
  );
  const before = await evidence.selectLossBefore(model, drifted, firstMs, minRowsSinceChange);
  const now = await evidence.selectLossNow(model, version, minRowsSinceChange);
  if (before === null || now === null) return drifted !== version;
  return isBack({ before, ...now });
}

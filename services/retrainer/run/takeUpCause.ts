import type { ModelSettings } from '../../shared/config/settings.ts';
import { type CauseState, isBack, isDue, pendingCauses } from '../causes/pendingCauses.ts';
import type { Cause } from '../causes/retrainer.ts';
import { minRowsSinceChange } from '../dataset/dataSplit.ts';
import { maturedUntilMs } from '../dataset/maturedUntil.ts';
import type { RetrainerStore } from '../store/store.ts';

type Store = Pick<RetrainerStore, 'history' | 'evidence' | 'labelledRows'>;

/**
 * Returns the cause that labels have made due, or null: a drift of the champion that no version has
 * mended, of which enough labelled rows have matured since the last attempt. The answer follows from
 * the tables alone, so a restarted retrainer goes on where it was.
 */
export async function causeToTakeUp(
  model: string,
  settings: ModelSettings,
  { history, evidence, labelledRows }: Store,
): Promise<Cause | null> {
  const known = await evidence.selectCauses(model);
  if (known.length === 0) return null;
  const { championVersion } = await history.selectHistory(model);
  if (championVersion === null) return null;
  const newest = await labelledRows.selectNewestRange(model, 1);
  if (newest === null) return null;
  const ofChampion = known.filter(({ version }) => version === championVersion);
  const trainings = await evidence.selectTrainings(model);
  const pending = pendingCauses(ofChampion, trainings, newest.toMs, settings);
  for (const cause of pending) {
    const ofCause = { model, version: championVersion, changedAtMs: cause.changedAtMs };
    // Most of the time too few labels are there, and that is asked cheaply.
    const labelled = await labelledRows.countSince(ofCause, newest.toMs);
    if (!isDue(labelled, cause.rowsTried, minRowsSinceChange)) continue;
    const matured = await maturedRowsSince(ofCause, settings, labelledRows);
    if (!isDue(matured, cause.rowsTried, minRowsSinceChange)) continue;
    if (cause.attempts > 0 && (await isHarmOver(ofCause, pending, evidence))) return null;
    const { id, attempts, changedAtMs } = cause;
    return { type: 'drift_event', id, model, attempt: attempts, changedAtMs };
  }
  return null;
}

interface ChangeOfVersion {
  model: string;
  version: string;
  changedAtMs: number;
}

/** Returns how many labelled rows of a version have matured since a change. */
export async function maturedRowsSince(
  change: ChangeOfVersion,
  { retraining, windowSizeMs }: ModelSettings,
  labelledRows: Store['labelledRows'],
): Promise<number> {
  const { model } = change;
  const newest = await labelledRows.selectNewestRange(model, retraining.maximumRows);
  if (newest === null) return 0;
  const coverage = await labelledRows.selectCoverage(model, newest, windowSizeMs);
  return labelledRows.countSince(change, Math.min(newest.toMs, maturedUntilMs(coverage)));
}

/** Returns whether the champion is as good again as before the first of the changes. */
async function isHarmOver(
  { model, version }: ChangeOfVersion,
  pending: readonly CauseState[],
  evidence: Store['evidence'],
): Promise<boolean> {
  const firstMs = Math.min(...pending.map(({ changedAtMs }) => changedAtMs));
  const before = await evidence.selectLossBefore(model, version, firstMs, minRowsSinceChange);
  const now = await evidence.selectLossNow(model, version, minRowsSinceChange);
  return before !== null && now !== null && isBack({ before, ...now });
}

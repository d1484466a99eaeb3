import type { ModelSettings } from '../../shared/config/settings.ts';
import { dayMs } from '../../shared/duration.ts';
import { lossReach } from '../../shared/lossReach.ts';

/** A drift event with the runs that it has led to. */
export interface CauseState {
  /** Id of the drift event. */
  id: string;
  /** The version that drifted. */
  version: string;
  cause: string;
  /** Event time at which the change began. */
  changedAtMs: number;
  /** Runs that have ended, without those that were skipped. */
  attempts: number;
  /** Versions that they have made, that were approved, and that were not taken back since. */
  mendedBy: readonly string[];
  /** Most labelled rows since the change that a run has tried to train with; 0 if none has. */
  rowsTried: number;
}

/** An earlier training that has ended. */
export interface EarlierTraining {
  /** Whether its version was approved, and not taken back since. */
  approved: boolean;
  /** False for one that has failed. */
  judged: boolean;
  /** Event time of its newest row. */
  toMs: number;
}

/** The loss of the champion before a change, and now. */
export interface LossOfChampion {
  before: number;
  now: number;
  /** True for an error rate, and false for a mean absolute error. */
  isRate: boolean;
}

/**
 * Returns the causes that may be taken up again, the newest change first: the drifts of the champion
 * that no version has mended, and the drift that has made the champion. The former have no approved
 * version, and none whose rows reach beyond the change. The latter may have been mended in part,
 * because the champion was trained on the first rows after the change. Whether the drift event is
 * open makes no difference.
 */
export function pendingCauses(
  causes: readonly CauseState[],
  champion: string,
  trainings: readonly EarlierTraining[],
  { retraining }: ModelSettings,
): CauseState[] {
  const mendedUntilMs = newestRow(trainings.filter(({ approved }) => approved));
  const isPending = ({ version, mendedBy, changedAtMs }: CauseState) =>
    mendedBy.length === 0
      ? version === champion && changedAtMs > mendedUntilMs
      : mendedBy.includes(champion);
  return causes
    .filter(
      cause => (retraining.causes as readonly string[]).includes(cause.cause) && isPending(cause),
    )
    .sort((one, other) => other.changedAtMs - one.changedAtMs);
}

/**
 * Returns whether a model may be trained when labels come: whether the cooldown since the last
 * training is over, and the day has not had its trainings.
 * @param nowMs end of the newest window whose labels have come
 */
export function mayTrain(
  trainings: readonly EarlierTraining[],
  nowMs: number,
  { retraining }: ModelSettings,
): boolean {
  const { enabled, cooldownMs, maximumTrainingsPerDay } = retraining;
  const judgedMs = newestRow(trainings.filter(({ judged }) => judged));
  const today = trainings.filter(({ toMs }) => nowMs - toMs < dayMs);
  return enabled && nowMs - judgedMs >= cooldownMs && today.length < maximumTrainingsPerDay;
}

function newestRow(trainings: readonly EarlierTraining[]): number {
  return Math.max(...trainings.map(({ toMs }) => toMs), Number.NEGATIVE_INFINITY);
}

/**
 * Returns whether a cause is due: whether its labelled rows have come to the next of 1, 2, 4, 8 …
 * times the rows that a comparison needs.
 * @param rows labelled rows since the change
 */
export function isDue(rows: number, rowsTried: number, minRows: number): boolean {
  const stage = (count: number) => (count < minRows ? -1 : Math.floor(Math.log2(count / minRows)));
  return stage(rows) > stage(rowsTried);
}

/**
 * Returns whether the champion is as good again as it was before the change, so that there is
 * nothing to mend.
 */
export function isBack({ before, now, isRate }: LossOfChampion): boolean {
  return now <= lossReach(before, isRate);
}

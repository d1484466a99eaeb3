import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Cause } from './retrainer.ts';

/** What is known of a model when labels come. */
export interface RoutineEvidence {
  model: string;
  /** Event time of the newest row of the last training, or of the first prediction before any. */
  lastMs: number;
  /** End of the newest window whose labels have come. */
  nowMs: number;
  /** Labelled rows of the version that serves since `lastMs`. */
  rows: number;
}

/**
 * Returns the training that is due by the number of labelled rows or by age, or null. Its id says by
 * which, and is another one each time that as many rows or as much time have come again, so a
 * training that was skipped is not tried again before.
 */
export function routineCause(
  { model, lastMs, nowMs, rows }: RoutineEvidence,
  { retraining }: ModelSettings,
): Cause | null {
  const { everyLabelledRows, maximumAgeMs } = retraining;
  const after = new Date(lastMs).toISOString();
  const cause = (name: string, times: number): Cause => ({
    type: 'schedule',
    id: `${name} ${times} after ${after}`,
    model,
  });
  if (everyLabelledRows !== undefined && rows >= everyLabelledRows)
    return cause(`everyLabelledRows ${everyLabelledRows}`, Math.floor(rows / everyLabelledRows));
  if (maximumAgeMs !== undefined && nowMs - lastMs >= maximumAgeMs)
    return cause(`maximumAge ${maximumAgeMs} ms`, Math.floor((nowMs - lastMs) / maximumAgeMs));
  return null;
}

/** Returns whether the settings ask for trainings by rows or by age. */
export function hasRoutine({ retraining }: ModelSettings): boolean {
  return (
    retraining.enabled && (retraining.everyLabelledRows ?? retraining.maximumAgeMs) !== undefined
  );
}

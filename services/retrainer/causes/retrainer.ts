import type { ModelSettings } from '../../shared/config/settings.ts';
import type { DriftEvent, RetrainRequest } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';

/** What asks for a training. */
export interface Cause {
  type: 'drift_event' | 'schedule' | 'manual';
  /** Id of the drift event or of the request. */
  id: string;
  model: string;
  /** How many runs of the cause have ended before; absent for 0. */
  attempt?: number;
  /** Event time at which the change began that the cause is about; absent if it is about none. */
  changedAtMs?: number;
  /** The version that drifted; absent if it is the champion. */
  driftedVersion?: string;
}

/** The change in the world that a cause is about. */
export interface Change {
  /** Event time at which it began. */
  atMs: number;
  /**
   * Mean error or absolute error of the champion before it, or null if too few labels say it.
   */
  lossBefore: number | null;
}

/** What has served and was trained of a model before a cause comes. */
export interface ModelHistory {
  /** Version that serves, or null if nothing was predicted yet. */
  championVersion: string | null;
  /**
   * Event time of the newest row of the last training whose candidate was approved or rejected, or
   * is waited for, or null.
   */
  lastTrainedEventTimeMs: number | null;
}

/** Whether a cause is answered with a training. The reason is published. */
export type TrainingDecision = { train: true } | { train: false; reason: string };

/**
 * Returns the id of the run that answers a cause. Each cause has one, however often it is
 * delivered, and one more each time that it is taken up again.
 */
export function runId({ type, id, attempt = 0 }: Cause): string {
  return attempt === 0
    ? deterministicId('run', type, id)
    : deterministicId('run', type, id, attempt);
}

/** Returns the cause in a drift event, or null if the drift is over or was withdrawn. */
export function causeOfDriftEvent(event: DriftEvent): Cause | null {
  return event.status === 'open' ? { type: 'drift_event', id: event.id, model: event.model } : null;
}

export function causeOfRequest(request: RetrainRequest): Cause {
  return { type: request.reason, id: request.id, model: request.model };
}

/**
 * Decides whether a request is answered with a training. The cooldown does not apply to requests.
 */
export function decideOnRequest(settings: ModelSettings): TrainingDecision {
  return settings.retraining.enabled ? { train: true } : disabled;
}

/**
 * Decides whether a drift event is answered with a training. Broken data and changed code never
 * are: a model that learns from them makes the damage last.
 * @param atMs event time of the revision of the event: the end of the window that led to it
 */
export function decideOnDriftEvent(
  event: DriftEvent,
  atMs: number,
  settings: ModelSettings,
  history: ModelHistory,
): TrainingDecision {
  const { enabled, causes, cooldownMs } = settings.retraining;
  if (!enabled) return disabled;
  if (event.cause === 'data_quality')
    return skipped(
      'The cause of the drift is data_quality. A model that learns from broken data makes the ' +
        'damage last, so repair the data first.',
    );
  if (event.cause === 'code_change')
    return skipped(
      'The cause of the drift is code_change: the code that serves the model has changed, and ' +
        'training cannot repair that.',
    );
  if (!causes.includes(event.cause))
    return skipped(
      `The cause of the drift is ${event.cause}, which the setting retraining.causes does not list ` +
        `(${causes.join(', ') || 'it is empty'}).`,
    );
  const { championVersion, lastTrainedEventTimeMs } = history;
  if (championVersion !== null && event.version !== championVersion)
    return skipped(`Version ${event.version} drifted, but version ${championVersion} serves now.`);
  if (lastTrainedEventTimeMs !== null && atMs - lastTrainedEventTimeMs < cooldownMs) {
    const usedUntil = isoTime(lastTrainedEventTimeMs);
    const from = isoTime(lastTrainedEventTimeMs + cooldownMs);
    return skipped(
      'The cooldown is not over (retraining.cooldown). ' +
        `The last training used data up to ${usedUntil}, so the next one may follow a drift that ` +
        `is seen at ${from} or later (event time).`,
    );
  }
  return { train: true };
}

/**
 * Says that too few labelled rows have matured since a change. The cause is taken up when they are
 * there.
 */
export function waitsForRows(rows: number, minRows: number, changedAtMs: number): string {
  return (
    `Of the time since the change (${isoTime(changedAtMs)}), ${rows} labelled rows of the champion ` +
    `have matured, but at least ${minRows} are needed to compare a challenger with it. The cause is ` +
    'taken up again when they are there.'
  );
}

const disabled: TrainingDecision = {
  train: false,
  reason: 'Retraining is disabled for this model (retraining.enabled is false).',
};

function skipped(reason: string): TrainingDecision {
  return { train: false, reason };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

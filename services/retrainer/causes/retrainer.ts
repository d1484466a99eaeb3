import type { ModelSettings } from '../../shared/config/settings.ts';
import type { DriftEvent, RetrainRequest } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';

/** Why a training is asked for. */
export interface Cause {
  type: 'drift_event' | 'schedule' | 'manual';
  /** Id of the drift event or of the request. */
  id: string;
  model: string;
}

/** What is known of a model when a cause comes. */
export interface ModelHistory {
  /** Version that serves, null when nothing was predicted yet. */
  championVersion: string | null;
  /** Event time of the newest row of the last training that came to a verdict. */
  lastTrainedEventTimeMs: number | null;
}

export type Decision = { train: true } | { train: false; reason: string };

/** One training at most per cause, whatever is delivered again. */
export function runId(cause: Cause): string {
  return deterministicId('run', cause.type, cause.id);
}

/** The cause in a drift event, or null when it asks for nothing: a drift that is over, or was withdrawn. */
export function causeOfDriftEvent(event: DriftEvent): Cause | null {
  return event.status === 'open' ? { type: 'drift_event', id: event.id, model: event.model } : null;
}

export function causeOfRequest(request: RetrainRequest): Cause {
  return { type: request.reason, id: request.id, model: request.model };
}

/** Whether a request is answered with a training. The cooldown is not for those who ask. */
export function decideOnRequest(settings: ModelSettings): Decision {
  return settings.retraining.enabled ? { train: true } : disabled;
}

/**
 * Whether a drift event is answered with a training.
 * @param atMs event time of the revision of the event: the end of the window that made it
 *
 * Data quality and code changes never are: a model that learns from broken data, or
 * from the outputs of broken code, makes the damage last.
 */
export function decideOnDriftEvent(
  event: DriftEvent,
  atMs: number,
  settings: ModelSettings,
  history: ModelHistory,
): Decision {
  const { enabled, causes, cooldownMs } = settings.retraining;
  if (!enabled) return disabled;
  if (event.cause === 'data_quality')
    return skipped(
      'data_quality: training on broken data would make the damage last; mend the data first',
    );
  if (event.cause === 'code_change')
    return skipped(
      'code_change: the code that serves the model has changed, which no training mends',
    );
  if (!causes.includes(event.cause))
    return skipped(
      `${event.cause}: is not among retraining.causes (${causes.join(', ') || 'none'})`,
    );
  const { championVersion, lastTrainedEventTimeMs } = history;
  if (championVersion !== null && event.version !== championVersion) {
    return skipped(`version ${event.version} drifted, but version ${championVersion} serves now`);
  }
  if (lastTrainedEventTimeMs !== null && atMs - lastTrainedEventTimeMs < cooldownMs) {
    return skipped(
      `cooldown: the last training used data up to ${isoTime(lastTrainedEventTimeMs)}; the next may follow a drift that is seen from ${isoTime(lastTrainedEventTimeMs + cooldownMs)} on (event time)`,
    );
  }
  return { train: true };
}

const disabled: Decision = {
  train: false,
  reason: 'retraining is disabled for this model (retraining.enabled: false)',
};

function skipped(reason: string): Decision {
  return { train: false, reason };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

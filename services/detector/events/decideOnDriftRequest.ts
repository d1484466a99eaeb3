import type { DriftEvent, DriftRequest } from '../../shared/contracts.ts';

/** What is answered to a request about a drift event. */
export interface DriftAnswer {
  accepted: boolean;
  /** The version that drifted; empty if no such event is known. */
  version: string;
  /** Event time at which the drift ends by it; null if it is refused. */
  seenUntilMs: number | null;
  answer: string;
}

/** What is known of the drift event that a request is about. */
export interface KnownDrift {
  event: DriftEvent;
  /** End of the newest judged window of its version. */
  judgedUntilMs: number;
  windowSizeMs: number;
}

/**
 * Decides on a request about a drift event. An open one can be accepted, and ends with the window
 * that the person saw last, which must not begin before the event.
 *
 * @param known null if there is no such event
 */
export function decideOnDriftRequest(
  { model, driftEventId, seenUntil }: DriftRequest,
  known: KnownDrift | null,
): DriftAnswer {
  if (known === null)
    return refused('', `No drift event ${driftEventId} of model ${model} is known.`);
  const { event, judgedUntilMs, windowSizeMs } = known;
  const { version, status, windowEnd, endReason } = event;
  if (status !== 'open')
    return refused(
      version,
      `Drift event ${driftEventId} is ${status}${endReason === null ? '' : ` (${endReason})`}, and only an open one can be accepted.`,
    );
  const latestMs = Math.min(seenUntil ?? judgedUntilMs, judgedUntilMs);
  const seenUntilMs = Math.max(Math.floor(latestMs / windowSizeMs) * windowSizeMs, windowEnd);
  return {
    accepted: true,
    version,
    seenUntilMs,
    answer: `Drift event ${driftEventId} of ${model} ${version} is accepted as the new normal from ${new Date(seenUntilMs).toISOString()} on.`,
  };
}

function refused(version: string, answer: string): DriftAnswer {
  return { accepted: false, version, seenUntilMs: null, answer };
}

import type { EventAccount, WindowAccount } from '../../services/detector/fold/windowAccount.ts';
import {
  type ExplainedWindow,
  explainWindow,
} from '../../services/detector/judging/explainWindow.ts';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Settings } from '../../services/shared/config/settings.ts';
import { UserError } from '../../services/shared/userError.ts';

/** The window in which a drift event was decided, and what has become of the event. */
interface ExplainedEvent extends ExplainedWindow {
  event: EventAccount;
}

/**
 * Finds the window in which a stored drift event was decided.
 * @throws UserError if there is no such event
 */
export async function requestOfStoredEvent(
  clickhouse: Clickhouse,
  id: string,
): Promise<ExplainedEvent> {
  const [row] = await clickhouse.select<ExplainedWindow & EventAccount>(
    `SELECT model, version, segment,
            toUnixTimestamp64Milli(ifNull(evidence_window_start, window_start)) AS timeMs,
            id, toString(status) AS status, cause, toString(severity) AS severity, feature,
            toUnixTimestamp64Milli(window_start) AS windowStart, explanation,
            toUnixTimestamp64Milli(persisting_since) AS persistingSince, end_reason AS endReason,
            ended_by AS endedBy, standing
     FROM drift_events FINAL WHERE id = {id:String}`,
    { id },
  );
  const found = row && explainedEvent(row);
  if (!found)
    throw new UserError(
      `There is no drift event ${id}. "driftloop status" lists the open ones; to explain a window, give model, version and a time.`,
    );
  return found;
}

function explainedEvent(row: ExplainedWindow & EventAccount): ExplainedEvent {
  const { model, version, segment, timeMs, ...event } = row;
  return { model, version, segment, timeMs, event };
}

/**
 * Accounts for a window of a running installation.
 * @throws UserError if the window has no predictions
 */
export async function accountOfInstallation(
  clickhouse: Clickhouse,
  settings: Settings,
  { event, ...request }: ExplainedWindow & Partial<ExplainedEvent>,
): Promise<WindowAccount> {
  const { model, version, segment, timeMs } = request;
  const account = await explainWindow(clickhouse, request, settings.of(model));
  if (account) return event ? { ...account, event } : account;
  const [known] = await clickhouse.select<{ windows: number; first: string; last: string }>(
    `SELECT uniqExact(window_start) AS windows, toString(min(window_start)) AS first,
            toString(max(window_start)) AS last
     FROM window_profiles
     WHERE model = {model:String} AND version = {version:String} AND segment = {segment:String}`,
    { model, version, segment },
  );
  const where = segment === '' ? `${model} ${version}` : `${model} ${version}, ${segment}`;
  const time = new Date(timeMs).toISOString();
  throw new UserError(
    known && known.windows > 0
      ? `${where} has no window with predictions at ${time}; its windows start from ${known.first} to ${known.last} UTC.`
      : `${where} has no predictions. Is the name right? "driftloop status" lists the models.`,
  );
}

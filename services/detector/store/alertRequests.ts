import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { AlertRequest } from '../../shared/contracts.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { AlertAct, AlertAnswer } from '../events/decideOnAlertRequest.ts';
import { ofVersions, type PerVersion } from './perVersion.ts';
import { msOf } from './sqlTime.ts';

/** What people have asked about alerts. */
export function alertRequests(clickhouse: Clickhouse) {
  return {
    /** Reads what people have done with the alerts of versions, in order. */
    async alertActs(names: readonly VersionName[]): Promise<PerVersion<readonly AlertAct[]>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<VersionName & AlertAct>(
        `SELECT model, version, action, alert_id AS alertId, requested_by AS by, note,
                ${msOf('until')} AS until, ${msOf('answered_at')} AS answeredAtMs
         FROM alert_requests FINAL
         WHERE (${sql}) AND outcome = 'accepted' AND action != 'not_useful'
         ORDER BY answered_at`,
        parameters,
      );
      return Map.groupBy(rows, versionKey);
    },

    /** Reads the answer to a request; null if it was not answered. */
    async alertAnswer(model: string, requestId: string): Promise<AlertAnswer | null> {
      const [answer] = await clickhouse.select<AlertAnswer>(
        `SELECT version, toBool(outcome = 'accepted') AS accepted, answer FROM alert_requests FINAL
         WHERE model = {model:String} AND request_id = {requestId:String}`,
        { model, requestId },
      );
      return answer ?? null;
    },

    insertAlertAnswer: (
      { id, model, action, alertId, until, requestedBy, note, time }: AlertRequest,
      { accepted, version, answer }: AlertAnswer,
      answeredAtMs: number,
    ) =>
      clickhouse.insert('alert_requests', [
        {
          model,
          request_id: id,
          action,
          alert_id: alertId,
          version,
          outcome: accepted ? 'accepted' : 'refused',
          answer,
          requested_by: requestedBy,
          note,
          until: until === null ? null : clickhouseTime(until),
          requested_at: clickhouseTime(time),
          answered_at: clickhouseTime(answeredAtMs),
        },
      ]),
  };
}

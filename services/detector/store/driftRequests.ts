import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { DriftRequest } from '../../shared/contracts.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { DriftAnswer } from '../events/decideOnDriftRequest.ts';
import type { Acceptance } from '../events/driftEnd.ts';
import { ofVersions, type PerVersion } from './perVersion.ts';
import { msOf } from './sqlTime.ts';

/** What people have asked about drift events. */
export function driftRequests(clickhouse: Clickhouse) {
  return {
    /** Reads what people have accepted as the new normal, by the id of the drift event. */
    async acceptances(
      names: readonly VersionName[],
    ): Promise<PerVersion<ReadonlyMap<string, Acceptance>>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<VersionName & Acceptance & { eventId: string }>(
        `SELECT model, version, drift_event_id AS eventId, requested_by AS by, note,
                ${msOf('seen_until')} AS fromMs
         FROM drift_requests FINAL WHERE (${sql}) AND outcome = 'accepted'
         ORDER BY seen_until DESC, requested_at DESC`,
        parameters,
      );
      return new Map(
        [...Map.groupBy(rows, versionKey)].map(([key, ofVersion]) => [
          key,
          // The first request of an event counts, which is the last one here.
          new Map(
            ofVersion.map(({ eventId, by, note, fromMs }) => [eventId, { by, note, fromMs }]),
          ),
        ]),
      );
    },

    /** Reads the answer to a request; null if it was not answered. */
    async driftAnswer(model: string, requestId: string): Promise<DriftAnswer | null> {
      const [answer] = await clickhouse.select<DriftAnswer>(
        `SELECT version, toBool(outcome = 'accepted') AS accepted, answer, ${msOf('seen_until')} AS seenUntilMs
         FROM drift_requests FINAL
         WHERE model = {model:String} AND request_id = {requestId:String}`,
        { model, requestId },
      );
      return answer ?? null;
    },

    insertDriftAnswer: (
      { id, model, action, driftEventId, requestedBy, note, time }: DriftRequest,
      { accepted, version, answer, seenUntilMs }: DriftAnswer,
      answeredAtMs: number,
    ) =>
      clickhouse.insert('drift_requests', [
        {
          model,
          request_id: id,
          action,
          drift_event_id: driftEventId,
          version,
          outcome: accepted ? 'accepted' : 'refused',
          answer,
          requested_by: requestedBy,
          note,
          seen_until: seenUntilMs === null ? null : clickhouseTime(seenUntilMs),
          requested_at: clickhouseTime(time),
          answered_at: clickhouseTime(answeredAtMs),
        },
      ]),
  };
}

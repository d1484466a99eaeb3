import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { DriftEvent } from '../../shared/contracts.ts';
import type { PerVersion } from './perVersion.ts';
import { byVersionAndId, type PublishedSince, publishedSince } from './publishedSince.ts';
import {
  enumeration,
  nullableTime,
  plain,
  type RowShape,
  selection,
  time,
  toRow,
} from './rowShape.ts';

const shape: RowShape<DriftEvent> = {
  id: plain('id'),
  revision: plain('revision'),
  status: enumeration('status'),
  model: plain('model'),
  version: plain('version'),
  segment: plain('segment'),
  feature: plain('feature'),
  cause: plain('cause'),
  severity: enumeration('severity'),
  windowStart: time('window_start'),
  windowEnd: time('window_end'),
  metric: plain('metric'),
  value: plain('value'),
  threshold: plain('threshold'),
  pValue: plain('p_value'),
  records: plain('records'),
  scale: plain('scale'),
  evidenceWindowStart: nullableTime('evidence_window_start'),
  reference: plain('reference'),
  contributions: plain('contributions'),
  predictionContributions: plain('prediction_contributions'),
  explanation: plain('explanation'),
  detectedAtEventTime: time('detected_at_event_time'),
};

export function driftEvents(clickhouse: Clickhouse) {
  return {
    /** Reads the newest revisions of drift events, by id. */
    async driftEvents(
      wanted: readonly PublishedSince[],
    ): Promise<PerVersion<Map<string, DriftEvent>>> {
      const { sql, parameters } = publishedSince(wanted, {
        isOpen: "status = 'open'",
        start: 'drift_events.window_start',
      });
      const rows = await clickhouse.select<DriftEvent>(
        `SELECT ${selection('drift_events', shape)} FROM drift_events FINAL WHERE ${sql}`,
        parameters,
      );
      return byVersionAndId(rows);
    },

    insertDriftEvents: (events: readonly DriftEvent[]) =>
      clickhouse.insert(
        'drift_events',
        events.map(event => toRow(shape, event)),
      ),
  };
}

import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { Alert } from '../../shared/contracts.ts';
import type { PerVersion } from './perVersion.ts';
import { byVersionAndId, type PublishedSince, publishedSince } from './publishedSince.ts';
import { enumeration, plain, type RowShape, selection, time, toRow } from './rowShape.ts';

const shape: RowShape<Alert> = {
  id: plain('id'),
  revision: plain('revision'),
  state: enumeration('state'),
  model: plain('model'),
  version: plain('version'),
  severity: enumeration('severity'),
  title: plain('title'),
  notice: plain('notice'),
  driftEventIds: plain('drift_event_ids'),
  openedAtEventTime: time('opened_at_event_time'),
  updatedAtEventTime: time('updated_at_event_time'),
  reminders: plain('reminders'),
};

export function alerts(clickhouse: Clickhouse) {
  return {
    /** Reads the newest revisions of alerts, by id. */
    async alerts(wanted: readonly PublishedSince[]): Promise<PerVersion<Map<string, Alert>>> {
      const { sql, parameters } = publishedSince(wanted, {
        isOpen: "state != 'resolved'",
        start: 'opened_at_event_time',
      });
      const rows = await clickhouse.select<Alert>(
        `SELECT ${selection('alerts', shape)} FROM alerts FINAL WHERE ${sql}`,
        parameters,
      );
      return byVersionAndId(rows);
    },

    insertAlerts: (alerts: readonly Alert[]) =>
      clickhouse.insert(
        'alerts',
        alerts.map(alert => toRow(shape, alert)),
      ),
  };
}

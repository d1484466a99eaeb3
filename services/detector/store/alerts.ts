import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { Alert } from '../../shared/contracts.ts';
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
  happened: plain('happened'),
  acknowledgedBy: plain('acknowledged_by'),
  snoozedUntil: nullableTime('snoozed_until'),
  note: plain('note'),
  endReason: plain('end_reason'),
  actedAt: nullableTime('acted_at'),
};

export function alerts(clickhouse: Clickhouse) {
  return {
    /** Reads the newest revisions of alerts, by id. */
    async alerts(wanted: readonly PublishedSince[]): Promise<PerVersion<Map<string, Alert>>> {
      const { sql, parameters } = publishedSince(wanted, {
        // What a person has resolved may still have open events, which must not open it again.
        isOpen: "(state != 'resolved' OR end_reason = 'person')",
        start: 'opened_at_event_time',
      });
      const rows = await clickhouse.select<Alert>(
        `SELECT ${selection('alerts', shape)} FROM alerts FINAL WHERE ${sql}`,
        parameters,
      );
      return byVersionAndId(rows);
    },

    /** Reads the newest revision of an alert; null if there is none. */
    async alert(model: string, id: string): Promise<Alert | null> {
      const [alert] = await clickhouse.select<Alert>(
        `SELECT ${selection('alerts', shape)} FROM alerts FINAL
         WHERE model = {model:String} AND id = {id:String}`,
        { model, id },
      );
      return alert ?? null;
    },

    insertAlerts: (alerts: readonly Alert[]) =>
      clickhouse.insert(
        'alerts',
        alerts.map(alert => toRow(shape, alert)),
      ),
  };
}

import { describe, expect, it } from 'vitest';
import { alerts } from '../../../services/detector/store/alerts.ts';
import { driftEvents } from '../../../services/detector/store/driftEvents.ts';
import type { Alert, DriftEvent } from '../../../services/shared/contracts.ts';
import { driftEvent } from './driftEventFixture.ts';
import { hourMs } from './syntheticStream.ts';

/** Creates a client that records inserted rows and queries. */
function recorder() {
  const inserted: [table: string, rows: readonly object[]][] = [];
  const queries: string[] = [];
  return {
    inserted,
    queries,
    insert: async (table: string, rows: readonly object[]) => {
      inserted.push([table, rows]);
    },
    select: async (query: string) => {
      queries.push(query);
      return [];
    },
  };
}

const event: DriftEvent = {
  ...driftEvent('a', {
    changedValues: [
      {
        kind: 'feature',
        name: 'x',
        value: 'Italy',
        share: 0.2,
        referenceShare: 0,
        renamedFrom: 'IT',
      },
    ],
    persistingSince: 12 * hourMs,
    endReason: 'mended',
    endedBy: '2',
    endedAt: 15 * hourMs,
    standing: 'The error rate is back.',
  }),
  revision: 2,
};
const alert: Alert = {
  id: 'b',
  revision: 3,
  state: 'updated',
  model: 'm',
  version: '1',
  severity: 'critical',
  title: 'm 1: data drift',
  notice: 'No label matches a prediction. (1 more)',
  driftEventIds: ['a'],
  openedAtEventTime: 0,
  updatedAtEventTime: 1_500,
  reminders: 2,
  happened: 'snoozed',
  acknowledgedBy: 'alice',
  snoozedUntil: 86_400_000,
  note: 'a campaign',
  endReason: null,
  actedAt: 2_500,
};

describe('rows of the detector', () => {
  it('hold a drift event in the columns of drift_events', async () => {
    const clickhouse = recorder();
    await driftEvents(clickhouse as never).insertDriftEvents([event]);
    expect(clickhouse.inserted).toEqual([
      [
        'drift_events',
        [
          {
            id: 'a',
            revision: 2,
            status: 'open',
            model: 'm',
            version: '1',
            segment: '',
            feature: 'x',
            cause: 'data_drift',
            severity: 'warning',
            window_start: '1970-01-01 10:00:00.000',
            window_end: '1970-01-01 11:00:00.000',
            metric: 'likelihood_ratio',
            value: 100,
            threshold: 40,
            p_value: 1e-12,
            records: 200,
            scale: 1,
            evidence_window_start: '1970-01-01 10:00:00.000',
            reference: 'bootstrap',
            contributions: { x: 0.75, z: 0.25 },
            prediction_contributions: { x: 0.05, z: -0.01 },
            changed_values: [
              {
                kind: 'feature',
                name: 'x',
                value: 'Italy',
                share: 0.2,
                reference_share: 0,
                renamed_from: 'IT',
              },
            ],
            explanation: 'x changed.',
            detected_at_event_time: '1970-01-01 11:00:00.000',
            persisting_since: '1970-01-01 12:00:00.000',
            end_reason: 'mended',
            ended_by: '2',
            ended_at: '1970-01-01 15:00:00.000',
            standing: 'The error rate is back.',
          },
        ],
      ],
    ]);
  });

  it('hold an alert in the columns of alerts', async () => {
    const clickhouse = recorder();
    await alerts(clickhouse as never).insertAlerts([alert]);
    expect(clickhouse.inserted).toEqual([
      [
        'alerts',
        [
          {
            id: 'b',
            revision: 3,
            state: 'updated',
            model: 'm',
            version: '1',
            severity: 'critical',
            title: 'm 1: data drift',
            notice: 'No label matches a prediction. (1 more)',
            drift_event_ids: ['a'],
            opened_at_event_time: '1970-01-01 00:00:00.000',
            updated_at_event_time: '1970-01-01 00:00:01.500',
            reminders: 2,
            happened: 'snoozed',
            acknowledged_by: 'alice',
            snoozed_until: '1970-01-02 00:00:00.000',
            note: 'a campaign',
            end_reason: null,
            acted_at: '1970-01-01 00:00:02.500',
          },
        ],
      ],
    ]);
  });

  it('are read under the names of the fields that they were written from', async () => {
    const clickhouse = recorder();
    const wanted = [{ model: 'm', version: '1', sinceMs: 0, ids: [] }];
    await driftEvents(clickhouse as never).driftEvents(wanted);
    await alerts(clickhouse as never).alerts(wanted);
    const fieldsOf = (query: string) =>
      [...query.split(' FROM ')[0]!.matchAll(/ AS (\w+)/g)].map(([, field]) => field).sort();
    expect(clickhouse.queries.map(fieldsOf)).toEqual([
      Object.keys(event).sort(),
      Object.keys(alert).sort(),
    ]);
  });
});

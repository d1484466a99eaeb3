import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { DriftEvent } from '../../shared/contracts.ts';
import type { VersionName } from '../../shared/versionKey.ts';
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
import { msOf } from './sqlTime.ts';

/** The elements of `changed_values`, named as in the contract. */
const changedValue =
  'Tuple(kind String, name String, value String, share Float64, referenceShare Float64, renamedFrom Nullable(String))';

/** A column of tuples; a table has none where the contract has null. */
function values(name: string): RowShape<DriftEvent>['changedValues'] {
  return {
    name,
    read: column =>
      `arrayMap(v -> CAST((v.1, v.2, v.3, v.4, v.5, v.6), '${changedValue}'), ${column})`,
    write: changed =>
      (changed ?? []).map(({ referenceShare, renamedFrom, ...value }) => ({
        ...value,
        reference_share: referenceShare,
        renamed_from: renamedFrom,
      })),
  };
}

function withoutEmptyValues(event: DriftEvent): DriftEvent {
  return event.changedValues?.length === 0 ? { ...event, changedValues: null } : event;
}

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
  changedValues: values('changed_values'),
  explanation: plain('explanation'),
  detectedAtEventTime: time('detected_at_event_time'),
  persistingSince: nullableTime('persisting_since'),
  endReason: plain('end_reason'),
  endedBy: plain('ended_by'),
  endedAt: nullableTime('ended_at'),
  standing: plain('standing'),
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
      return byVersionAndId(rows.map(withoutEmptyValues));
    },

    /** Reads which versions of models have open drift events, each with its first one. */
    async versionsWithOpenEvents(
      models: readonly string[],
    ): Promise<(VersionName & { fromMs: number })[]> {
      if (models.length === 0) return [];
      return clickhouse.select(
        `SELECT model, version, ${msOf('min(window_start)')} AS fromMs FROM drift_events FINAL
         WHERE model IN {models:Array(String)} AND status = 'open' GROUP BY model, version`,
        { models },
      );
    },

    /** Reads the newest revision of a drift event; null if there is none. */
    async driftEvent(model: string, id: string): Promise<DriftEvent | null> {
      const [event] = await clickhouse.select<DriftEvent>(
        `SELECT ${selection('drift_events', shape)} FROM drift_events FINAL
         WHERE model = {model:String} AND id = {id:String}`,
        { model, id },
      );
      return event ? withoutEmptyValues(event) : null;
    },

    insertDriftEvents: (events: readonly DriftEvent[]) =>
      clickhouse.insert(
        'drift_events',
        events.map(event => toRow(shape, event)),
      ),
  };
}

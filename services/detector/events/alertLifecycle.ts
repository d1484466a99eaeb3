import type { Alert, DriftEvent } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import type { DriftEventRevision } from './driftEventRevisions.ts';
import { headlineOf } from './explanation.ts';

/** What has been published for a model version. */
export interface AlertHistory {
  /** Newest revision of every alert, by id. */
  alerts: ReadonlyMap<string, Alert>;
  /** Newest revision of every drift event, by id. */
  events: ReadonlyMap<string, DriftEvent>;
}

/**
 * Returns the revisions of alerts that follow from revisions of drift events. The first open drift
 * event of a version opens an alert. A further event that opens, a raised severity or another cause
 * updates it. It is resolved when all its events are closed or withdrawn.
 *
 * @param revisions in the order in which they are published
 * @returns revisions in the order in which they have to be published
 */
export function alertRevisions(
  history: AlertHistory,
  revisions: readonly DriftEventRevision[],
): Alert[] {
  const alerts = new Map(history.alerts);
  const events = new Map(history.events);
  const published: Alert[] = [];
  for (const { event, atMs } of revisions) {
    const before = events.get(event.id);
    events.set(event.id, event);
    const alert = nextAlert(alerts, events, event, before, atMs);
    if (!alert) continue;
    alerts.set(alert.id, alert);
    published.push(alert);
  }
  return published;
}

function nextAlert(
  alerts: ReadonlyMap<string, Alert>,
  events: ReadonlyMap<string, DriftEvent>,
  event: DriftEvent,
  before: DriftEvent | undefined,
  atMs: number,
): Alert | null {
  const current = [...alerts.values()].find(({ state }) => state !== 'resolved');
  if (!current) return event.status === 'open' ? openedAlert(alerts, event, atMs) : null;
  const isNew = event.status === 'open' && !current.driftEventIds.includes(event.id);
  const driftEventIds = isNew ? [...current.driftEventIds, event.id] : current.driftEventIds;
  const open = driftEventIds.map(id => events.get(id)).filter(member => member?.status === 'open');
  const severity =
    isNew || event.severity === 'critical'
      ? raised(current.severity, event.severity)
      : current.severity;
  const isNews = isNew || severity !== current.severity || before?.cause !== event.cause;
  if (open.length > 0 && !(isNews && driftEventIds.includes(event.id))) return null;
  return {
    ...current,
    revision: current.revision + 1,
    state: open.length > 0 ? 'updated' : 'resolved',
    severity,
    title: titleOf(open[0] ?? event, open.length),
    driftEventIds,
    updatedAtEventTime: atMs,
  };
}

/** Returns the id that an alert has if the drift event opens it. */
export function alertIdOf(driftEventId: string): string {
  return deterministicId('alert', driftEventId);
}

function openedAlert(alerts: ReadonlyMap<string, Alert>, event: DriftEvent, atMs: number): Alert {
  const id = alertIdOf(event.id);
  return {
    id,
    // If the drift event was withdrawn before, the same alert is opened again.
    revision: (alerts.get(id)?.revision ?? 0) + 1,
    state: 'opened',
    model: event.model,
    version: event.version,
    severity: event.severity,
    title: titleOf(event, 1),
    notice: null,
    driftEventIds: [event.id],
    openedAtEventTime: event.detectedAtEventTime,
    updatedAtEventTime: atMs,
  };
}

function raised(left: Alert['severity'], right: Alert['severity']): Alert['severity'] {
  return left === 'critical' || right === 'critical' ? 'critical' : 'warning';
}

/**
 * Returns one line for a pager: whose drift it is, its cause, and what changed by how much.
 *
 * @example 'credit 3: concept drift: the error rate rose from 23.1 % to 30.8 %; and 1 more drift
 *   event'
 */
function titleOf(
  { model, version, segment, cause, explanation }: DriftEvent,
  openEvents: number,
): string {
  const where = segment === '' ? `${model} ${version}` : `${model} ${version} (${segment})`;
  const others =
    openEvents > 1 ? `; and ${openEvents - 1} more drift event${openEvents > 2 ? 's' : ''}` : '';
  return `${where}: ${cause.replace('_', ' ')}: ${headlineOf(explanation)}${others}`;
}

import type { Alert, DriftEvent } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import { dayMs } from '../../shared/duration.ts';
import type { AlertAct } from './decideOnAlertRequest.ts';
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
 * event of a version opens an alert. A further event that opens, one that begins to persist, a raised
 * severity or another cause updates it. While an event persists, reminders follow after 1, 2, 4, 8 …
 * days of event time. It is resolved when all its events are closed or withdrawn.
 *
 * What people do comes first. A higher severity takes back that somebody has the alert, and that it
 * is snoozed. What a person has resolved comes back with another event or a higher severity only.
 *
 * @param revisions in the order in which they are published
 * @param untilMs event time up to which reminders are due
 * @param acts in their order; those that the alerts show already are left out
 * @returns revisions in the order in which they have to be published
 */
export function alertRevisions(
  history: AlertHistory,
  revisions: readonly DriftEventRevision[],
  untilMs: number,
  acts: readonly AlertAct[] = [],
): Alert[] {
  const alerts = new Map(history.alerts);
  const events = new Map(history.events);
  const published: Alert[] = [];
  const publish = (alert: Alert) => {
    alerts.set(alert.id, alert);
    published.push(alert);
  };
  const remind = (dueMs: number) => {
    for (
      let alert = reminder(alerts, events, dueMs);
      alert;
      alert = reminder(alerts, events, dueMs)
    )
      publish(alert);
  };
  for (const act of acts) {
    const current = alerts.get(act.alertId);
    const alert = current && alertAfterAct(current, act, untilMs);
    if (alert) publish(alert);
  }
  for (const { event, atMs } of revisions) {
    remind(atMs);
    const before = events.get(event.id);
    events.set(event.id, event);
    const alert = nextAlert(alerts, events, event, before, atMs);
    if (alert) publish(alert);
  }
  remind(untilMs);
  return published;
}

/**
 * Returns the alert after what a person has done; null if that changes nothing.
 * @param atMs event time up to which windows were judged
 */
export function alertAfterAct(
  current: Alert,
  { action, by, until, note, answeredAtMs }: AlertAct,
  atMs = current.updatedAtEventTime,
): Alert | null {
  if (current.state === 'resolved' || answeredAtMs <= (current.actedAt ?? 0)) return null;
  const next: Alert = {
    ...current,
    revision: current.revision + 1,
    state: 'updated',
    updatedAtEventTime: Math.max(atMs, current.updatedAtEventTime),
    note,
    actedAt: answeredAtMs,
  };
  switch (action) {
    case 'acknowledge':
      return { ...next, happened: 'acknowledged', acknowledgedBy: by };
    case 'unacknowledge':
      return { ...next, happened: 'unacknowledged', acknowledgedBy: null };
    case 'snooze':
      return { ...next, happened: 'snoozed', snoozedUntil: until };
    case 'resolve':
      return { ...next, state: 'resolved', happened: 'resolved', endReason: 'person' };
  }
}

/** Returns the next reminder that is due by an event time; null if none is. */
function reminder(
  alerts: ReadonlyMap<string, Alert>,
  events: ReadonlyMap<string, DriftEvent>,
  dueMs: number,
): Alert | null {
  const current = openAlert(alerts);
  if (!current) return null;
  const open = openEventsOf(current.driftEventIds, events);
  const sinceMs = Math.min(
    ...open.map(({ persistingSince }) => persistingSince ?? Number.POSITIVE_INFINITY),
  );
  const reminders = (current.reminders ?? 0) + 1;
  // The sum of 1, 2, 4, 8 … days.
  const atMs = sinceMs + (2 ** reminders - 1) * dayMs;
  if (atMs > dueMs) return null;
  const days = Math.round((atMs - sinceMs) / dayMs);
  return {
    ...current,
    revision: current.revision + 1,
    state: 'updated',
    title: `${titleOf(shownEvent(open)!, open.length)}; open for ${days} day${days > 1 ? 's' : ''} since its level is stable`,
    updatedAtEventTime: atMs,
    reminders,
    happened: 'reminder',
  };
}

function openAlert(alerts: ReadonlyMap<string, Alert>): Alert | undefined {
  return [...alerts.values()].find(({ state }) => state !== 'resolved');
}

function openEventsOf(
  ids: readonly string[],
  events: ReadonlyMap<string, DriftEvent>,
): DriftEvent[] {
  return ids.flatMap(id => events.get(id) ?? []).filter(({ status }) => status === 'open');
}

/** Returns the event that a title is about: the first one that is followed, or that persists. */
function shownEvent(open: readonly DriftEvent[]): DriftEvent | undefined {
  return open.find(({ persistingSince }) => persistingSince === null) ?? open[0];
}

function nextAlert(
  alerts: ReadonlyMap<string, Alert>,
  events: ReadonlyMap<string, DriftEvent>,
  event: DriftEvent,
  before: DriftEvent | undefined,
  atMs: number,
): Alert | null {
  const current = openAlert(alerts);
  if (!current)
    return event.status === 'open' && !isDoneWith(alerts, event)
      ? openedAlert(alerts, event, atMs)
      : null;
  const isNew = event.status === 'open' && !current.driftEventIds.includes(event.id);
  const driftEventIds = isNew ? [...current.driftEventIds, event.id] : current.driftEventIds;
  const open = openEventsOf(driftEventIds, events);
  const severity =
    isNew || event.severity === 'critical'
      ? raised(current.severity, event.severity)
      : current.severity;
  const persists = event.status === 'open' && event.persistingSince !== null;
  const isNews =
    isNew ||
    severity !== current.severity ||
    before?.cause !== event.cause ||
    (persists && before?.persistingSince === null);
  if (open.length > 0 && !(isNews && driftEventIds.includes(event.id))) return null;
  const isWorse = severity !== current.severity;
  const next: Alert = {
    ...current,
    revision: current.revision + 1,
    severity,
    title: titleOf(shownEvent(open) ?? event, open.length),
    driftEventIds,
    updatedAtEventTime: atMs,
    ...(isWorse && { acknowledgedBy: null, snoozedUntil: null }),
  };
  if (open.length === 0) {
    const endReason = event.status === 'withdrawn' ? 'withdrawn' : event.endReason;
    return { ...next, state: 'resolved', happened: 'resolved', endReason };
  }
  const hasOtherCause = before !== undefined && before.cause !== event.cause;
  const happened = isWorse
    ? 'escalated'
    : isNew
      ? 'another-event'
      : hasOtherCause
        ? 'another-cause'
        : 'persists';
  return { ...next, state: 'updated', happened };
}

/** Returns whether a person has resolved the alert of an event, and the event is not worse now. */
function isDoneWith(alerts: ReadonlyMap<string, Alert>, event: DriftEvent): boolean {
  const done = [...alerts.values()].find(
    ({ endReason, driftEventIds }) => endReason === 'person' && driftEventIds.includes(event.id),
  );
  return done !== undefined && raised(done.severity, event.severity) === done.severity;
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
    reminders: 0,
    happened: 'opened',
    acknowledgedBy: null,
    snoozedUntil: null,
    note: null,
    endReason: null,
    actedAt: alerts.get(id)?.actedAt ?? null,
  };
}

function raised(left: Alert['severity'], right: Alert['severity']): Alert['severity'] {
  return left === 'critical' || right === 'critical' ? 'critical' : 'warning';
}

/**
 * Returns one line for a pager: whose drift it is, its cause, and what changed by how much.
 *
 * @example 'credit 3: concept drift persists: the error rate rose from 23.1 % to 30.8 %; and 1 more
 *   drift event'
 */
function titleOf(
  { model, version, segment, cause, status, persistingSince, explanation }: DriftEvent,
  openEvents: number,
): string {
  const where = segment === '' ? `${model} ${version}` : `${model} ${version} (${segment})`;
  const others =
    openEvents > 1 ? `; and ${openEvents - 1} more drift event${openEvents > 2 ? 's' : ''}` : '';
  const persists = status === 'open' && persistingSince !== null ? ' persists' : '';
  return `${where}: ${cause.replace('_', ' ')}${persists}: ${headlineOf(explanation)}${others}`;
}

import { describe, expect, it } from 'vitest';
import {
  type AlertHistory,
  alertRevisions,
} from '../../../services/detector/events/alertLifecycle.ts';
import {
  type AlertAct,
  decideOnAlertRequest,
} from '../../../services/detector/events/decideOnAlertRequest.ts';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import type { DriftEventRevision } from '../../../services/detector/events/driftEventRevisions.ts';
import type { Alert, AlertRequest } from '../../../services/shared/contracts.ts';
import { dayMs } from '../../../services/shared/duration.ts';
import { driftEvent } from './driftEventFixture.ts';

const none: AlertHistory = { alerts: new Map(), events: new Map() };

function revisionsOf(...contents: DriftEventContent[]): DriftEventRevision[] {
  return contents.map((content, index) => ({
    event: { ...content, revision: index + 1 },
    atMs: index,
  }));
}

const lives = (...contents: DriftEventContent[]) =>
  alertRevisions(none, revisionsOf(...contents), 0).map(({ state, severity, driftEventIds }) => [
    state,
    severity,
    driftEventIds.join(),
  ]);

describe('alertRevisions', () => {
  it('opens an alert with the first drift event and resolves it when the event closes', () => {
    expect(lives(driftEvent('a'), driftEvent('a', { status: 'closed' }))).toEqual([
      ['opened', 'warning', 'a'],
      ['resolved', 'warning', 'a'],
    ]);
  });

  it('adds later events to the open alert, and resolves it when the last one closes', () => {
    const inSegment = driftEvent('b', { segment: 'country=DE', severity: 'critical' });
    expect(
      lives(driftEvent('a'), inSegment, driftEvent('a', { status: 'closed' }), {
        ...inSegment,
        status: 'closed',
      }),
    ).toEqual([
      ['opened', 'warning', 'a'],
      ['updated', 'critical', 'a,b'],
      ['resolved', 'critical', 'a,b'],
    ]);
  });

  it('updates the alert for another cause or a higher severity, and for nothing else', () => {
    expect(
      lives(
        driftEvent('a'),
        driftEvent('a', { explanation: 'x changed; it went on.' }),
        driftEvent('a', { cause: 'code_change' }),
        driftEvent('a', { cause: 'code_change', severity: 'critical' }),
      ).map(([state]) => state),
    ).toEqual(['opened', 'updated', 'updated']);
  });

  it('resolves the alert for a withdrawal and opens it again under its id when the event comes back', () => {
    const alerts = alertRevisions(
      none,
      revisionsOf(driftEvent('a'), driftEvent('a', { status: 'withdrawn' }), driftEvent('a')),
      0,
    );
    expect(alerts.map(({ state, revision }) => [state, revision])).toEqual([
      ['opened', 1],
      ['resolved', 2],
      ['opened', 3],
    ]);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(1);
  });

  it('continues from what was published before', () => {
    const [opened] = alertRevisions(none, revisionsOf(driftEvent('a')), 0);
    const history = {
      alerts: new Map([[opened!.id, opened!]]),
      events: new Map([['a', { ...driftEvent('a'), revision: 1 }]]),
    };
    const [resolved, ...others] = alertRevisions(
      history,
      revisionsOf(driftEvent('a', { status: 'closed' })),
      0,
    );
    expect(others).toEqual([]);
    expect(resolved).toMatchObject({ id: opened!.id, revision: 2, state: 'resolved' });
  });

  describe('while an event persists', () => {
    const persisting = driftEvent('a', { persistingSince: dayMs });
    const [opened, persists] = revisionsOf(driftEvent('a'), persisting);
    const at = (event: DriftEventRevision, atMs: number) => ({ ...event, atMs });
    const remindersOf = (alerts: Alert[]) =>
      alerts
        .filter(({ reminders }) => reminders !== 0)
        .map(({ reminders, updatedAtEventTime }) => [reminders, updatedAtEventTime / dayMs]);

    it('reminds after 1, 2, 4 and 8 days more, the same in one run as in many', () => {
      const inOneRun = alertRevisions(none, [opened!, at(persists!, dayMs)], 16 * dayMs);
      expect(remindersOf(inOneRun)).toEqual([
        [1, 2],
        [2, 4],
        [3, 8],
        [4, 16],
      ]);
      let history: AlertHistory = {
        alerts: new Map(),
        events: new Map([['a', persists!.event]]),
      };
      const inMany = alertRevisions(none, [opened!, at(persists!, dayMs)], dayMs);
      for (let day = 1; day <= 16; day++) {
        history = { ...history, alerts: new Map([[inMany[0]!.id, inMany.at(-1)!]]) };
        inMany.push(...alertRevisions(history, [], day * dayMs));
      }
      expect(inMany).toEqual(inOneRun);
    });

    it('says that it persists, and that it is over when the event closes', () => {
      const closed = { event: { ...persisting, status: 'closed' as const, revision: 3 } };
      const alerts = alertRevisions(
        none,
        [opened!, at(persists!, dayMs), { ...closed, atMs: 3 * dayMs }],
        99 * dayMs,
      );
      expect(alerts.map(({ state, reminders }) => [state, reminders])).toEqual([
        ['opened', 0],
        ['updated', 0],
        ['updated', 1],
        ['resolved', 1],
      ]);
      expect(alerts[1]!.title).toBe('m 1: data drift persists: x changed');
      expect(alerts[2]!.title).toContain('open for 1 day since its level is stable');
    });
  });
});

describe('what people do', () => {
  const [opened] = alertRevisions(none, revisionsOf(driftEvent('a')), 0);
  const history = (alert: Alert): AlertHistory => ({
    alerts: new Map([[alert.id, alert]]),
    events: new Map([['a', { ...driftEvent('a'), revision: 1 }]]),
  });
  const act = (fields: Partial<AlertAct>): AlertAct => ({
    action: 'acknowledge',
    alertId: opened!.id,
    by: 'alice',
    until: null,
    note: null,
    answeredAtMs: 10,
    ...fields,
  });
  const afterwards = (acts: AlertAct[], ...contents: DriftEventContent[]) =>
    alertRevisions(history(opened!), revisionsOf(...contents), 5, acts);

  it('is shown by the alert, in order and once', () => {
    const acts = [
      act({}),
      act({ action: 'snooze', until: 99, note: 'campaign', answeredAtMs: 11 }),
      act({ action: 'unacknowledge', answeredAtMs: 12 }),
    ];
    const alerts = afterwards(acts);
    expect(
      alerts.map(({ revision, state, happened, acknowledgedBy, snoozedUntil }) => [
        ...[revision, state, happened, acknowledgedBy, snoozedUntil],
      ]),
    ).toEqual([
      [2, 'updated', 'acknowledged', 'alice', null],
      [3, 'updated', 'snoozed', 'alice', 99],
      [4, 'updated', 'unacknowledged', null, 99],
    ]);
    expect(alertRevisions(history(alerts[2]!), [], 5, acts)).toEqual([]);
    expect(alertRevisions(history(alerts[0]!), [], 5, acts)).toEqual(alerts.slice(1));
  });

  it('counts no more when the alert gets worse', () => {
    const worse = driftEvent('a', { severity: 'critical' });
    const [, , escalated] = afterwards(
      [act({}), act({ action: 'snooze', until: 99, answeredAtMs: 11 })],
      worse,
    );
    expect(escalated).toMatchObject({
      happened: 'escalated',
      severity: 'critical',
      acknowledgedBy: null,
      snoozedUntil: null,
    });
  });

  it('resolves an alert until there is something new or worse', () => {
    const resolve = act({ action: 'resolve', note: 'known' });
    const [resolved, ...others] = afterwards(
      [resolve],
      driftEvent('a', { persistingSince: 3 }),
      driftEvent('a', { cause: 'concept_drift', persistingSince: 3 }),
    );
    expect(resolved).toMatchObject({ state: 'resolved', endReason: 'person', note: 'known' });
    expect(others).toEqual([]);
    const [, again] = afterwards([resolve], driftEvent('a', { severity: 'critical' }));
    expect(again).toMatchObject({ id: opened!.id, revision: 3, state: 'opened', endReason: null });
    const [, another] = afterwards([resolve], driftEvent('b'));
    expect(another).toMatchObject({ state: 'opened', driftEventIds: ['b'] });
    expect(another!.id).not.toBe(opened!.id);
  });

  it('says why an alert has ended', () => {
    const [ended] = afterwards([], driftEvent('a', { status: 'closed', endReason: 'mended' }));
    expect(ended).toMatchObject({ state: 'resolved', endReason: 'mended' });
    const [withdrawn] = afterwards([], driftEvent('a', { status: 'withdrawn' }));
    expect(withdrawn).toMatchObject({ state: 'resolved', endReason: 'withdrawn' });
  });

  it.each<[Partial<AlertRequest>, Partial<Alert>, boolean, string]>([
    [{}, {}, true, 'is acknowledged by alice.'],
    [{}, { acknowledgedBy: 'bob' }, false, 'is acknowledged by bob already'],
    [{ action: 'unacknowledge' }, {}, false, 'is not acknowledged.'],
    [{ action: 'snooze', until: 2_000 }, {}, true, 'is snoozed until 1970-01-01T00:00:02.000Z'],
    [{ action: 'snooze', until: 999 }, {}, false, 'until a later time only.'],
    [{ action: 'snooze' }, {}, false, 'until a later time only.'],
    [{ action: 'resolve' }, {}, false, 'with a note only.'],
    [{ action: 'resolve', note: 'known' }, {}, true, 'is resolved.'],
    [{}, { state: 'resolved', endReason: 'mended' }, false, 'is resolved (mended)'],
    [{ action: 'not_useful' }, { state: 'resolved' }, true, 'is counted as not useful.'],
  ])('is answered: %o of %o', (request, alert, accepted, answer) => {
    const asked: AlertRequest = {
      ...{ id: 'r', model: 'm', action: 'acknowledge', alertId: opened!.id, until: null },
      ...{ requestedBy: 'alice', note: null, time: 0 },
      ...request,
    };
    const answered = decideOnAlertRequest(asked, { ...opened!, ...alert }, 1_000);
    expect(answered).toMatchObject({ accepted, version: '1' });
    expect(answered.answer).toContain(answer);
    expect(decideOnAlertRequest(asked, null, 0)).toMatchObject({ accepted: false, version: '' });
  });
});

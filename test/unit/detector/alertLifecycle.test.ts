import { describe, expect, it } from 'vitest';
import {
  type AlertHistory,
  alertRevisions,
} from '../../../services/detector/events/alertLifecycle.ts';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import type { DriftEventRevision } from '../../../services/detector/events/driftEventRevisions.ts';
import { driftEvent } from './driftEventFixture.ts';

const none: AlertHistory = { alerts: new Map(), events: new Map() };

function revisionsOf(...contents: DriftEventContent[]): DriftEventRevision[] {
  return contents.map((content, index) => ({
    event: { ...content, revision: index + 1 },
    atMs: index,
  }));
}

const lives = (...contents: DriftEventContent[]) =>
  alertRevisions(none, revisionsOf(...contents)).map(({ state, severity, driftEventIds }) => [
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
    );
    expect(alerts.map(({ state, revision }) => [state, revision])).toEqual([
      ['opened', 1],
      ['resolved', 2],
      ['opened', 3],
    ]);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(1);
  });

  it('continues from what was published before', () => {
    const [opened] = alertRevisions(none, revisionsOf(driftEvent('a')));
    const history = {
      alerts: new Map([[opened!.id, opened!]]),
      events: new Map([['a', { ...driftEvent('a'), revision: 1 }]]),
    };
    const [resolved, ...others] = alertRevisions(
      history,
      revisionsOf(driftEvent('a', { status: 'closed' })),
    );
    expect(others).toEqual([]);
    expect(resolved).toMatchObject({ id: opened!.id, revision: 2, state: 'resolved' });
  });
});

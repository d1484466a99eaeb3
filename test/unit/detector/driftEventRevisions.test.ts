import { describe, expect, it } from 'vitest';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import { driftEventRevisions } from '../../../services/detector/events/driftEventRevisions.ts';
import { driftEvent } from './driftEventFixture.ts';
import { hourMs } from './syntheticStream.ts';

const at = (content: DriftEventContent) => ({ content, atMs: content.windowEnd });
const published = (...events: DriftEventContent[]) =>
  new Map(events.map(event => [event.id, { ...event, revision: 1 }]));
const summary = (revisions: ReturnType<typeof driftEventRevisions>) =>
  revisions.map(({ event }) => `${event.id}/${event.revision} ${event.status}`);

describe('driftEventRevisions', () => {
  it('numbers the changes by new windows and leaves out repetitions', () => {
    const changes = [
      driftEvent('a'),
      driftEvent('a'),
      driftEvent('a', { status: 'closed' }),
      driftEvent('b'),
    ].map(at);
    expect(summary(driftEventRevisions(new Map(), [], changes, 0, hourMs))).toEqual([
      'a/1 open',
      'a/2 closed',
      'b/1 open',
    ]);
  });

  it('publishes nothing when windows that are judged again differ only in the last bits and the order of features', () => {
    const again = driftEvent('a', {
      value: 100 + 1e-9,
      contributions: { z: 0.25, x: 0.75 },
      predictionContributions: { z: -0.01, x: 0.05 },
    });
    expect(driftEventRevisions(published(driftEvent('a')), [at(again)], [], 0, hourMs)).toEqual([]);
  });

  it('publishes only the final result of windows that are judged again', () => {
    const rejudged = [driftEvent('a'), driftEvent('a', { status: 'closed' })].map(at);
    const closed = driftEvent('a', { status: 'closed' });
    expect(driftEventRevisions(published(closed), rejudged, [], 0, hourMs)).toEqual([]);
    expect(summary(driftEventRevisions(new Map(), rejudged, [], 0, hourMs))).toEqual([
      'a/1 open',
      'a/2 closed',
    ]);
  });

  it('revises an event whose cause changes when its windows are judged again', () => {
    const revised = at(driftEvent('a', { cause: 'concept_drift' }));
    expect(
      summary(driftEventRevisions(published(driftEvent('a')), [revised], [], 0, hourMs)),
    ).toEqual(['a/2 open']);
  });

  it('withdraws an event once if it does not occur again in the windows that were folded', () => {
    const known = published(driftEvent('a'));
    expect(summary(driftEventRevisions(known, [], [], 10 * hourMs, hourMs))).toEqual([
      'a/2 withdrawn',
    ]);
    expect(driftEventRevisions(known, [], [], 11 * hourMs, hourMs)).toEqual([]);
    expect(driftEventRevisions(known, [], [], 0, 2 * hourMs)).toEqual([]);
    expect(
      driftEventRevisions(published(driftEvent('a', { status: 'withdrawn' })), [], [], 0, hourMs),
    ).toEqual([]);
  });

  it('opens a withdrawn event again when it occurs again', () => {
    const known = published(driftEvent('a', { status: 'withdrawn' }));
    expect(summary(driftEventRevisions(known, [at(driftEvent('a'))], [], 0, hourMs))).toEqual([
      'a/2 open',
    ]);
  });
});

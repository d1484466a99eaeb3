import type { DriftEvent } from '../../shared/contracts.ts';
import type { DriftEventContent } from './driftEpisode.ts';

/** A drift event as a window left it. */
export interface DriftEventChange {
  content: DriftEventContent;
  /** Event time: end of the window that changed it. */
  atMs: number;
}

/** A revision of a drift event that has to be published. */
export interface DriftEventRevision {
  event: DriftEvent;
  atMs: number;
}

/** The last bits of sums of floats, and of numbers read back from the database, are nobody's news. */
const comparedDigits = 9;

/**
 * What a fold has to publish, given what was published before.
 * - Of windows that had been judged before only the outcome counts: an event that came out differently gets one more
 *   revision, one that did not come about again is withdrawn.
 * - Each change of windows that are judged for the first time is a revision, so that the numbers do not depend on how
 *   many windows were folded at once.
 *
 * @param published newest revision by id
 * @param settled changes of windows that had been judged before, beginning with the episodes open at the outset
 * @param fresh changes of windows judged for the first time
 * @param refoldedFromMs start of the first window that was folded
 * @param windowSizeMs windows of another size, from before the setting was changed, are not folded: their events stay
 */
export function driftEventRevisions(
  published: ReadonlyMap<string, DriftEvent>,
  settled: readonly DriftEventChange[],
  fresh: readonly DriftEventChange[],
  refoldedFromMs: number,
  windowSizeMs: number,
): DriftEventRevision[] {
  const newest = new Map(published);
  const revisions: DriftEventRevision[] = [];
  const publish = ({ content, atMs }: DriftEventChange) => {
    const known = newest.get(content.id);
    if (known && fingerprint(known) === fingerprint(content)) return;
    const event = { ...content, revision: (known?.revision ?? 0) + 1 };
    newest.set(event.id, event);
    revisions.push({ event, atMs });
  };
  const outcomes = new Map(settled.map(change => [change.content.id, change]));
  // An event that nobody has heard of is opened before it is closed.
  for (const change of settled) if (!newest.has(change.content.id)) publish(change);
  for (const change of outcomes.values()) publish(change);
  const cameAbout = new Set([...settled, ...fresh].map(({ content }) => content.id));
  for (const { revision: _, ...event } of published.values()) {
    const refolded =
      event.windowStart >= refoldedFromMs && event.windowEnd - event.windowStart === windowSizeMs;
    if (refolded && !cameAbout.has(event.id))
      publish({ content: { ...event, status: 'withdrawn' }, atMs: event.detectedAtEventTime });
  }
  for (const change of fresh) publish(change);
  return revisions;
}

function fingerprint(event: DriftEventContent | DriftEvent): string {
  const { contributions, predictionContributions, ...fields } = event;
  const entries = sortedEntries(fields).filter(([name]) => name !== 'revision');
  const parts = [entries, sortedEntries(contributions), sortedEntries(predictionContributions)];
  return JSON.stringify(parts, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(comparedDigits)) : value,
  );
}

function sortedEntries(record: object): [string, unknown][] {
  return Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1));
}

import type { DriftEvent } from '../../shared/contracts.ts';
import type { DriftEventContent } from './driftEpisode.ts';

/** What a drift event is after a window. */
export interface DriftEventChange {
  content: DriftEventContent;
  /** Event time: the end of the window that changed it. */
  atMs: number;
}

/** A revision of a drift event that has to be published. */
export interface DriftEventRevision {
  event: DriftEvent;
  atMs: number;
}

/**
 * Significant digits in which two revisions must differ. The last bits of sums of floats, and of
 * numbers read back from the database, make no revision.
 */
const comparedDigits = 9;

/**
 * Returns what has to be published after windows were folded, given what was published before.
 *
 * - For windows that had been judged before, only the outcome counts. An event that came out
 *   differently gets one more revision; one that did not come about again is withdrawn.
 * - Each change by a window that is judged for the first time is a revision, so that the numbers of
 *   the revisions do not depend on how many windows were folded at once.
 *
 * @param published newest revision of each event, by id
 * @param rejudged changes by windows that had been judged before, after the episodes that were open
 *   at the beginning
 * @param fresh changes by windows that are judged for the first time
 * @param refoldedFromMs start of the first window that was folded
 * @param windowSizeMs events of windows of another size, from before the setting was changed, stay
 *   as they are, because these windows are not folded
 */
export function driftEventRevisions(
  published: ReadonlyMap<string, DriftEvent>,
  rejudged: readonly DriftEventChange[],
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
  const outcomes = new Map(rejudged.map(change => [change.content.id, change]));
  // An event that was never published is opened before it is closed.
  for (const change of rejudged) if (!newest.has(change.content.id)) publish(change);
  for (const change of outcomes.values()) publish(change);
  const cameAbout = new Set([...rejudged, ...fresh].map(({ content }) => content.id));
  for (const { revision: _, ...event } of published.values()) {
    const refolded =
      event.windowStart >= refoldedFromMs && event.windowEnd - event.windowStart === windowSizeMs;
    if (refolded && event.status !== 'withdrawn' && !cameAbout.has(event.id))
      publish({ content: withdrawn(event), atMs: event.detectedAtEventTime });
  }
  for (const change of fresh) publish(change);
  return revisions;
}

function withdrawn(event: DriftEventContent): DriftEventContent {
  const standing = 'Late data showed that it was not so.';
  const ended = { endReason: 'withdrawn', endedBy: null, endedAt: null, standing } as const;
  return { ...event, status: 'withdrawn', persistingSince: null, ...ended };
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

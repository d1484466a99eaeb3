import { deterministicId } from '../../shared/deterministicId.ts';
import type { FoldedWindow } from '../fold/versionFold.ts';

/** What is known of a window that was judged before. */
export interface JudgedWindowRevision {
  revision: number;
  digest: string;
}

/** A window that was judged, and is news. */
export type JudgedWindow = FoldedWindow & JudgedWindowRevision;

const digestDigits = 9;

export function judgedWindowKey(segment: string, startMs: number): string {
  return `${startMs} ${segment}`;
}

/** Identity of what a window was found to be; the last bits of sums of floats are left out. */
export function judgedWindowDigest({ observation, verdict, metrics }: FoldedWindow): string {
  const rounded = JSON.stringify(metrics, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(digestDigits)) : value,
  );
  return deterministicId(observation.records, verdict.status, verdict.reference, rounded);
}

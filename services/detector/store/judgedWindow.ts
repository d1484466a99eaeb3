import { deterministicId } from '../../shared/deterministicId.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { FoldedWindow } from '../fold/versionFold.ts';

/** How often a window was judged with a new result, and what the last result was. */
export interface JudgedWindowRevision {
  revision: number;
  /** `judgedWindowDigest` of the window. */
  digest: string;
}

/** A folded window whose result has to be written, because it is new. */
export type JudgedWindow = FoldedWindow & JudgedWindowRevision;

export type JudgedWindowOfVersion = VersionName & JudgedWindow;

const digestDigits = 9;

/** Returns the key of a window among those of a version. */
export function judgedWindowKey(segment: string, startMs: number): string {
  return `${startMs} ${segment}`;
}

/** Hashes the result of a window. The last bits of sums of floats are left out. */
export function judgedWindowDigest({ observation, verdict, metrics }: FoldedWindow): string {
  const rounded = JSON.stringify(metrics, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(digestDigits)) : value,
  );
  return deterministicId(observation.records, verdict.status, verdict.reference, rounded);
}

import { deterministicId } from '../../shared/deterministicId.ts';
import type { FoldedWindow } from '../fold/versionFold.ts';

/** What is known of a window that was judged before. */
export interface StoredEvaluation {
  revision: number;
  digest: string;
}

/** A window that was judged, and is news. */
export type Evaluation = FoldedWindow & StoredEvaluation;

const digestDigits = 9;

export function evaluationKey(segment: string, startMs: number): string {
  return `${startMs} ${segment}`;
}

/** Identity of what a window was found to be; the last bits of sums of floats are left out. */
export function evaluationDigest({ observation, verdict, metrics }: FoldedWindow): string {
  const rounded = JSON.stringify(metrics, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(digestDigits)) : value,
  );
  return deterministicId(observation.records, verdict.status, verdict.reference, rounded);
}

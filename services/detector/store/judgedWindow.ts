import { deterministicId } from '../../shared/deterministicId.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { DriftMetric } from '../fold/driftMetric.ts';
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

/**
 * Names the result of a window by two hashes: that of its inputs, and that of its labels together
 * with the status. The last bits of sums of floats are left out. A window whose labels alone were
 * folded keeps the hash of its inputs.
 */
export function judgedWindowDigest(
  { observation, verdict, metrics, onlyLabels }: FoldedWindow,
  known: JudgedWindowRevision | undefined,
): string {
  const ofInputs = metrics.filter(({ kind }) => kind !== 'performance');
  const ofLabels = metrics.filter(({ kind }) => kind === 'performance');
  const inputs = onlyLabels
    ? (known?.digest.split(' ')[0] ?? '')
    : deterministicId(observation.records, verdict.reference, rounded(ofInputs));
  return `${inputs} ${deterministicId(verdict.status, rounded(ofLabels))}`;
}

function rounded(metrics: readonly DriftMetric[]): string {
  return JSON.stringify(metrics, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(digestDigits)) : value,
  );
}

import type { DriftEvent } from '../../shared/contracts.ts';
import type { Evidence } from '../families/evidence.ts';
import { families } from '../families/families.ts';

export type DriftCause = DriftEvent['cause'];

/**
 * Returns the evidence that decides on the cause of a drift: that of the first family, in the order
 * of `families`, which saw it.
 *
 * @throws if there is no evidence
 */
export function decidingEvidence<E extends Evidence>(evidence: readonly E[]): E {
  for (const { name } of families) {
    const found = evidence.find(({ family }) => family === name);
    if (found) return found;
  }
  throw new Error('A drift has no evidence of any family.');
}

/**
 * Returns the cause of a drift. New code explains whatever came with it; otherwise the deciding
 * family names the cause. It may be revised when labels come.
 */
export function driftCause(
  evidence: readonly Evidence[],
  newCodeVersions: readonly string[],
): DriftCause {
  if (newCodeVersions.length > 0) return 'code_change';
  const { family } = decidingEvidence(evidence);
  return families.find(({ name }) => name === family)!.cause;
}

/**
 * Returns critical when the model has become worse, or when the change that decided is large on its
 * own: a PSI of 0.25 or more, or a defect in 20 points more of the records. Changed predictions
 * alone are never more than a warning.
 */
export function driftSeverity(
  evidence: readonly Evidence[],
  cause: DriftCause,
): DriftEvent['severity'] {
  if (evidence.some(({ family }) => family === 'error' || family === 'class_error'))
    return 'critical';
  return cause !== 'prediction_drift' && decidingEvidence(evidence).large ? 'critical' : 'warning';
}

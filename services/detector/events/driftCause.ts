import type { DriftEvent } from '../../shared/contracts.ts';
import type { Evidence } from '../families/evidence.ts';
import type { Family } from '../significance/family.ts';

export type DriftCause = DriftEvent['cause'];

/** Families that show a cause. The first with evidence decides on the numbers of the event. */
const familiesOfCause: Record<DriftCause, readonly Family[]> = {
  code_change: [
    'data_quality',
    'features',
    'dependence',
    'output_quality',
    'error',
    'labels',
    'predictions',
  ],
  data_quality: ['data_quality', 'output_quality'],
  data_drift: ['features', 'dependence'],
  concept_drift: ['error', 'labels'],
  prediction_drift: ['predictions'],
};

/**
 * Returns the cause of a drift, from the families that found evidence. New code explains everything
 * that came with it. Broken inputs explain shifted ones. Shifted inputs (of single features, or of
 * how features depend on each other) explain absurd outputs and errors. If errors or labels changed
 * and the inputs did not, the concept has changed. The cause may be revised when labels come.
 */
export function driftCause(
  evidence: readonly Evidence[],
  newCodeVersions: readonly string[],
): DriftCause {
  const families = new Set(evidence.map(({ family }) => family));
  if (newCodeVersions.length > 0) return 'code_change';
  if (families.has('data_quality')) return 'data_quality';
  if (families.has('features') || families.has('dependence')) return 'data_drift';
  if (families.has('output_quality')) return 'data_quality';
  if (families.has('error') || families.has('labels')) return 'concept_drift';
  return 'prediction_drift';
}

/** Returns the evidence that stands for the cause in the drift event. */
export function decidingEvidence(evidence: readonly Evidence[], cause: DriftCause): Evidence {
  for (const family of familiesOfCause[cause]) {
    const found = evidence.find(candidate => candidate.family === family);
    if (found) return found;
  }
  throw new Error(`no evidence for ${cause}`);
}

/**
 * Returns the severity of a drift. It is critical if the model has become worse, or if the deciding
 * change is large in itself: a PSI of 0.25 or more, or a defect in 20 percentage points more of the
 * records. Changed predictions alone are never more than a warning.
 */
export function driftSeverity(
  evidence: readonly Evidence[],
  cause: DriftCause,
): DriftEvent['severity'] {
  if (evidence.some(({ family }) => family === 'error')) return 'critical';
  return cause !== 'prediction_drift' && decidingEvidence(evidence, cause).large
    ? 'critical'
    : 'warning';
}

import type { DriftEvent } from '../../shared/contracts.ts';
import type { Evidence } from '../families/evidence.ts';
import type { Family } from '../significance/family.ts';

export type DriftCause = DriftEvent['cause'];

/** Which family speaks for a cause, the first that has evidence. */
const spokesmen: Record<DriftCause, readonly Family[]> = {
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
 * The cause of a drift, from the families that saw it. New code explains whatever came with it; broken inputs explain shifted ones;
 * shifted inputs (each by itself before how they go together) explain absurd outputs and errors; errors or labels that changed while the
 * inputs did not are a changed concept. It may be revised when labels come.
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

/** The evidence that decided on the cause. */
export function decidingEvidence(evidence: readonly Evidence[], cause: DriftCause): Evidence {
  for (const family of spokesmen[cause]) {
    const found = evidence.find(candidate => candidate.family === family);
    if (found) return found;
  }
  throw new Error(`no evidence for ${cause}`);
}

/**
 * Critical when the model has become worse, or the change that decided is large on its own: a PSI of 0.25 or more, or
 * a defect in 20 points more of the records. Changed predictions alone are never more than a warning.
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

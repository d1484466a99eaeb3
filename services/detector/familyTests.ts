import type { ModelSettings } from '../shared/settings.ts';
import { type Comparison, scales } from './comparison.ts';
import { dataQualityEvidence } from './dataQualityFamily.ts';
import { distributionEvidence } from './distributionFamily.ts';
import { errorEvidence, hasErrors } from './errorFamily.ts';
import type { Evidence, Family } from './evidence.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { hasLabels, labelEvidence } from './labelFamily.ts';

export type DetectionSettings = ModelSettings['detection'];

export interface TestOptions {
  frozen: ReadonlyMap<string, FrozenVariable>;
  detection: DetectionSettings;
  /** False while the reference of further features is still being gathered. */
  newFeaturesMatter: boolean;
}

/**
 * The significance level of each family at each scale: the budget of false alarms, split evenly. A family counts when
 * it can be tested, that is when the reference has its data.
 */
export function levelPerTest(
  comparison: Comparison,
  { frozen, detection }: Omit<TestOptions, 'newFeaturesMatter'>,
): number {
  const kinds = new Set(Array.from(frozen.values(), ({ kind }) => kind));
  // Quality and distribution of each kind.
  const families = 2 * kinds.size + (hasErrors(comparison) ? 1 : 0) + (hasLabels(comparison) ? 1 : 0);
  return detection.falseAlarmsPerThousandWindows / 1000 / families / scales.length;
}

/** The families that say "changed", each with its most significant scale; none for a steady stream. */
export function testFamilies(comparisons: readonly Comparison[], options: TestOptions): Evidence[] {
  const strongest = new Map<Family, Evidence>();
  for (const comparison of comparisons) {
    for (const evidence of evidenceAt(comparison, options)) {
      const known = strongest.get(evidence.family);
      if (!known || evidence.logPValue < known.logPValue) strongest.set(evidence.family, evidence);
    }
  }
  return withoutWeakPredictionDrift([...strongest.values()]);
}

function evidenceAt(comparison: Comparison, options: TestOptions): Evidence[] {
  const { frozen, detection } = options;
  const level = levelPerTest(comparison, options);
  const { minimumRecords, performanceDrop } = detection;
  return [
    dataQualityEvidence(comparison, frozen, 'feature', level, options.newFeaturesMatter),
    dataQualityEvidence(comparison, frozen, 'output', level, options.newFeaturesMatter),
    distributionEvidence(comparison, frozen, 'feature', level),
    distributionEvidence(comparison, frozen, 'output', level),
    labelEvidence(comparison, minimumRecords, level),
    errorEvidence(comparison, { minimumRecords, performanceDrop, level }),
  ].filter(evidence => evidence !== null);
}

/**
 * A model that keeps learning shifts the distribution of its own predictions, significantly in the end and harmlessly.
 * Where nothing but the outputs changed, only a large change of the predictions themselves (PSI of 0.25 or more) counts.
 */
function withoutWeakPredictionDrift(evidence: Evidence[]): Evidence[] {
  const [first] = evidence;
  return evidence.length === 1 && first?.family === 'predictions' && !first.large ? [] : evidence;
}

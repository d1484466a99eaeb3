import {
  missingCount,
  nonFiniteCount,
  unseenCount,
  wrongTypeCount,
} from '../../shared/bins/countVector.ts';
import { overdispersion } from '../../shared/statistics/overdispersion.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { VariableCounts } from '../blocks/variableCounts.ts';
import { type Comparison, pooledCounts } from '../reference/comparison.ts';

/** Defects that are counted in every block, each as a share of its records. */
export type RateMetric =
  | 'missing_rate'
  | 'wrong_type_rate'
  | 'non_finite_rate'
  | 'unseen_rate'
  | 'out_of_range_rate';

/**
 * Returns the rates that apply to a variable of this type. A new number is no defect, but a new
 * category may be one, unless values move by themselves.
 */
export function rateMetrics({ type, moving, sinceStart }: FrozenVariable): readonly RateMetric[] {
  const ofBothTypes = ['missing_rate', 'wrong_type_rate', 'non_finite_rate'] as const;
  if (moving && !sinceStart) return ofBothTypes;
  return type === 'numeric'
    ? [...ofBothTypes, 'out_of_range_rate']
    : [...ofBothTypes, 'unseen_rate'];
}

/** Returns the number of records with the defect in a block or in a sum of blocks. */
export function defectCount(
  { counts, outOfRange }: Pick<VariableCounts, 'counts' | 'outOfRange'>,
  metric: RateMetric,
): number {
  switch (metric) {
    case 'unseen_rate':
      return unseenCount(counts);
    case 'non_finite_rate':
      return nonFiniteCount(counts);
    case 'wrong_type_rate':
      return wrongTypeCount(counts);
    case 'missing_rate':
      return missingCount(counts);
    case 'out_of_range_rate':
      return outOfRange;
  }
}

/**
 * Returns the overdispersion of the rate of a defect, which is its variation between the blocks of
 * the reference beyond sampling.
 */
export function rateOverdispersion(
  { referenceBlocks, scale }: Comparison,
  key: string,
  metric: RateMetric,
): number {
  return overdispersion(
    pooledCounts(referenceBlocks, scale, block => {
      const counts = block.variables.get(key);
      if (!counts) return null;
      const hits = defectCount(counts, metric);
      return [hits, block.records - hits];
    }),
  );
}

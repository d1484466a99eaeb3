import {
  missingCount,
  nonFiniteCount,
  totalCount,
  unseenCount,
  wrongTypeCount,
} from '../../shared/bins/countVector.ts';
import { overdispersion } from '../../shared/statistics/overdispersion.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { VariableCounts } from '../blocks/variableCounts.ts';
import { type Comparison, pooledCounts } from '../reference/comparison.ts';

/** The defects of values that are counted in every block, as a share of its records. */
export type RateMetric =
  | 'missing_rate'
  | 'wrong_type_rate'
  | 'non_finite_rate'
  | 'unseen_rate'
  | 'out_of_range_rate';

/**
 * Returns the rates that a variable of its type has. A number that was never seen is no mistake, a
 * category may be.
 */
export function rateMetrics({ type, growing }: FrozenVariable): readonly RateMetric[] {
  const ofBothTypes = ['missing_rate', 'wrong_type_rate', 'non_finite_rate'] as const;
  if (growing) return ofBothTypes;
  return type === 'numeric'
    ? [...ofBothTypes, 'out_of_range_rate']
    : [...ofBothTypes, 'unseen_rate'];
}

/** Returns how many of the records of a block, or of a sum of blocks, have the defect. */
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
 * Returns by how much the rate of a defect varies between the blocks of the reference, beyond
 * sampling.
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
      return [hits, totalCount(counts.counts) - hits];
    }),
  );
}

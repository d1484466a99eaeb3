import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Cycle } from '../reference/calendar.ts';
import type { FamilyName } from '../significance/family.ts';

/**
 * Result of one test, which is one metric of one variable at one scale. The verdict and the rows of
 * drift_metrics are both made from it, so they cannot disagree.
 */
export interface TestResult {
  family: FamilyName;
  kind: VariableKind | 'performance';
  /** Name of the feature or output; two names joined by " × " for a pair; empty for performance. */
  feature: string;
  metric: string;
  /** Number of recent blocks that were pooled. */
  scale: number;
  value: number;
  /** The same metric in the reference; null if it has none. */
  referenceValue: number | null;
  records: number;
  referenceRecords: number;
  /**
   * Cycle whose same times (of earlier days or weeks) the reference holds; null if it holds all
   * earlier blocks.
   */
  cycle: Cycle | null;
  /**
   * Probability that the statistic varies as sampling noise does on this stream, between changes.
   */
  noiseWeight: number;
  /**
   * Significance level of the family at this scale, after it was adjusted to the family's own tail.
   */
  familyLevel: number;
  /**
   * The p-value at which this test says "changed", which is the family's level corrected for the
   * number of tests.
   */
  level: number;
  /** Whether the test says "changed". */
  changed: boolean;
  /**
   * Natural logarithm of the p-value; 0 if no p-value would matter, for example because the change
   * is too small.
   */
  logPValue: number;
  /**
   * Returns details that take a search to compute. Only results that are stored or shown need them.
   */
  detail(): ResultDetail;
}

export interface ResultDetail {
  pValue: number;
  /** Value at which the test says "changed"; infinite if no value does. */
  threshold: number;
  /**
   * Divisor of the statistic, after which it is compared with that of independent records; null if
   * there is none.
   */
  overdispersion: number | null;
}

/**
 * Returns the level of one test of a family with `tested` tests, `changed` of which say "changed",
 * by Simes' or Benjamini and Hochberg's rule. A test that does not say so would have had to reach
 * the level for one more.
 *
 * @example correctedLevel(0.001, 2, 10, true) // 0.0002
 */
export function correctedLevel(
  familyLevel: number,
  changed: number,
  tested: number,
  isChanged: boolean,
): number {
  return (familyLevel * (isChanged ? changed : changed + 1)) / tested;
}

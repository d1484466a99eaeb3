import type { ModelSettings } from '../../shared/config/settings.ts';
import type { DriftEvent } from '../../shared/contracts.ts';
import type { FeaturePair } from '../blocks/featurePairs.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Cycle } from '../reference/calendar.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { OutputModel } from '../reference/outputModel.ts';
import type { FamilyName } from '../significance/family.ts';
import type { TestKey } from '../significance/streamHistory.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import type { Measured } from '../significance/testBestReference.ts';
import type { Evidence } from './evidence.ts';

/**
 * A family of tests: the tests that answer one question about a stream. The budget of false alarms
 * is split evenly over the families whose data the reference has.
 */
export interface TestFamily {
  name: FamilyName;
  /** Question that the family answers, for the documentation and for `explain`. */
  question: string;
  /** Metrics of its results, each with a description. */
  metrics: Readonly<Record<string, string>>;
  /** Cause of a drift that this family decides on. */
  cause: Exclude<DriftEvent['cause'], 'code_change'>;
  /**
   * Whether the history of the stream stores the measurements of the family, so that its tests
   * learn how the stream varies.
   */
  keepsHistory: boolean;
  /** Returns whether the reference has the data that the family tests. */
  hasData(comparison: Comparison, options: TestOptions): boolean;
  /** Runs each test once. Returns null if nothing can be tested. */
  test(comparison: Comparison, context: FamilyContext): FamilyResult | null;
}

export interface TestOptions {
  frozen: ReadonlyMap<string, FrozenVariable>;
  pairs: readonly FeaturePair[];
  detection: ModelSettings['detection'];
  /** False while the reference of further features is still being gathered. */
  newFeaturesMatter: boolean;
  /** Model of the effect of the features on the outputs. */
  outputModel: OutputModel | null;
}

export interface FamilyContext {
  stream: StreamNullModel;
  /**
   * NullModel level of the family at this scale, before it is adjusted to the family's own tail
   * (`levelOfFamily`).
   */
  level: number;
  options: TestOptions;
}

/** Results of a family in a comparison, with or without an alarm. */
export interface FamilyResult {
  /** One result for each variable (or pair) and metric that was tested. */
  results: readonly TestResult[];
  /** Measurements for the history of the stream. */
  measured: ReadonlyMap<TestKey, Measured>;
  /**
   * Natural logarithm of the p-value of the most significant test, corrected for the number of
   * tests.
   */
  logPValue: number;
  /** Summary of the results that say "changed"; null if there are none. */
  evidence: Evidence | null;
}

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
   * NullModel level of the family at this scale, after it was adjusted to the family's own tail.
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

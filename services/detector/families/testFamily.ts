import type { ModelSettings } from '../../shared/config/settings.ts';
import type { DriftEvent } from '../../shared/contracts.ts';
import type { FeaturePair } from '../blocks/featurePairs.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Cycle } from '../reference/calendar.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { OutputModel } from '../reference/outputModel.ts';
import type { Measured } from '../significance/bestTest.ts';
import type { FamilyName } from '../significance/family.ts';
import type { TestKey } from '../significance/streamHistory.ts';
import type { StreamSignificance } from '../significance/streamSignificance.ts';
import type { Evidence } from './evidence.ts';

/**
 * A family of tests: the tests that answer one question about a stream. The budget of false alarms
 * is split evenly over the families whose data the reference has.
 */
export interface TestFamily {
  name: FamilyName;
  /** What the family answers, as a question for the documentation and for `explain`. */
  question: string;
  /** The metrics of its results, each with what it measures. */
  metrics: Readonly<Record<string, string>>;
  /** Cause of a drift that this family decides on. */
  cause: Exclude<DriftEvent['cause'], 'code_change'>;
  /**
   * Whether the history of the stream keeps what the family measures, so that its tests learn the
   * stream's variation.
   */
  keepsHistory: boolean;
  /** Whether the reference has what the family tests. */
  hasData(comparison: Comparison, options: TestOptions): boolean;
  /** Runs each test once. Returns null where nothing can be tested. */
  test(comparison: Comparison, context: FamilyContext): FamilyResult | null;
}

export interface TestOptions {
  frozen: ReadonlyMap<string, FrozenVariable>;
  pairs: readonly FeaturePair[];
  detection: ModelSettings['detection'];
  /** False while the reference of further features is still being gathered. */
  newFeaturesMatter: boolean;
  /** Says what a change of the features does to the outputs. */
  outputModel: OutputModel | null;
}

export interface FamilyContext {
  stream: StreamSignificance;
  /**
   * Significance level of the family at this scale, before its own tail raises it: see
   * `levelOfFamily`.
   */
  level: number;
  options: TestOptions;
}

/** What a family found in a comparison, whether it alarms or not. */
export interface FamilyResult {
  /** One result for each variable (or pair) and metric that was tested. */
  results: readonly TestResult[];
  /** What was measured, for the history of the stream. */
  measured: ReadonlyMap<TestKey, Measured>;
  /** Of its most significant test, corrected for their number; natural logarithm. */
  logPValue: number;
  /** The results that say "changed", summed up; null when there are none. */
  evidence: Evidence | null;
}

/**
 * The result of one test: one metric of one variable at one scale. The verdict and the rows of
 * drift_metrics are both made of it, so that they cannot disagree.
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
  /** The same metric in the reference, where it has one. */
  referenceValue: number | null;
  records: number;
  referenceRecords: number;
  /**
   * The reference is worth what was seen at the same times of earlier days or weeks; null: all
   * earlier blocks.
   */
  cycle: Cycle | null;
  /**
   * Probability that the statistic varies as sampling noise does on this stream, between changes.
   */
  noiseWeight: number;
  /** Significance level of the family at this scale, after its own tail raised it. */
  familyLevel: number;
  /**
   * The p-value at which this test says "changed": the family's level, corrected for the number of
   * tests.
   */
  level: number;
  /** Whether the test says "changed". */
  changed: boolean;
  /**
   * Natural logarithm of the p-value; 0 where no p-value would matter, for example because the
   * change is too small.
   */
  logPValue: number;
  /**
   * Returns what takes a search to find, and is only needed of results that are stored or shown.
   */
  detail(): ResultDetail;
}

export interface ResultDetail {
  pValue: number;
  /** The value at which the test says "changed"; infinite where no value does. */
  threshold: number;
  /**
   * What the statistic is divided by before it is taken for one of independent records; null where
   * there is none.
   */
  overdispersion: number | null;
}

/**
 * Level of a test of a family that says "changed" of `changed` among `tested` ones, by Simes' or
 * Benjamini and Hochberg's rule. A test that does not say so would have had to reach the level of
 * one more.
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

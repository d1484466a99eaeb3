import type { ModelSettings } from '../../shared/config/settings.ts';
import type { DriftEvent } from '../../shared/contracts.ts';
import type { FeaturePair } from '../blocks/featurePairs.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { OutputModel } from '../reference/outputModel.ts';
import type { FamilyName } from '../significance/family.ts';
import type { TestKey } from '../significance/streamHistory.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import type { Measured } from '../significance/testBestReference.ts';
import type { Evidence } from './evidence.ts';
import type { TestResult } from './testResult.ts';

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
  /** Number of false alarms that are allowed for a block. */
  budget: number;
  /** Number of families that share the budget, but test other blocks of the stream. */
  otherFamilies: number;
  /** False while the reference of further features is still being gathered. */
  newFeaturesMatter: boolean;
  /** Model of the effect of the features on the outputs. */
  outputModel: OutputModel | null;
  /**
   * Returns whether the version was seen to give the same outputs to the same inputs since its
   * reference; null without a model of the outputs.
   */
  standsStill(): boolean | null;
}

export interface FamilyContext {
  stream: StreamNullModel;
  /**
   * Significance level of the family at this scale, before it is adjusted to the family's own tail
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

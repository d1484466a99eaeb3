import type { BestReferenceTest, ReferenceMeasurement } from '../significance/testBestReference.ts';
import type { TestResult } from './testResult.ts';

/** What a test of errors or labels found. */
type PerformanceTest = Pick<ReferenceMeasurement, 'records' | 'referenceRecords'> &
  Pick<BestReferenceTest<ReferenceMeasurement>, 'cycle'> & { pValue: number; logPValue: number };

/**
 * Returns the result of a family that has one test alone, of errors or of labels. Its level is that
 * of the family.
 */
export function performanceResult(
  test: PerformanceTest,
  told: Pick<
    TestResult,
    | 'family'
    | 'metric'
    | 'scale'
    | 'value'
    | 'referenceValue'
    | 'noiseWeight'
    | 'familyLevel'
    | 'detail'
  >,
): TestResult {
  return {
    ...told,
    kind: 'performance',
    feature: '',
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    cycle: test.cycle,
    level: told.familyLevel,
    changed: test.pValue <= told.familyLevel,
    logPValue: test.logPValue,
  };
}

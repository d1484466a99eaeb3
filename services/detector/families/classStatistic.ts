import { cohensH, rateBelow } from '../../shared/statistics/cohensH.ts';
import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import { likelihoodRatio, type Rate, rateOf } from '../../shared/statistics/rateIncrease.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import type { Comparison } from '../reference/comparison.ts';
import { type Judgement, oneSided } from '../significance/nullModel.ts';
import {
  type BestReferenceTest,
  type ReferenceMeasurement,
  type TestNullModel,
  testBestReference,
} from '../significance/testBestReference.ts';

/** A rate of one class. Recall is about its labels, precision about its predictions. */
export type ClassRate = 'recall' | 'precision';

export interface ClassStatistic
  extends MeasuredRate,
    Judgement,
    Pick<BestReferenceTest<MeasuredRate>, 'cycle' | 'measured'> {
  /** Returns the judgement of a statistic of that size, for a rate that fell. */
  judgementOf(statistic: number): Judgement;
}

interface MeasuredRate extends ReferenceMeasurement {
  value: number;
  referenceValue: number;
}

/** Fewer recent records of a class are not tested. */
const minRecentOfClass = 5;
/** A class with fewer records in the reference is not tested. */
export const minReferenceOfClass = 10;
/**
 * A rate has to fall by this much, in Cohen's h: by 5 points from 50 %, by 2 from 98 %, by 0.4 from
 * 99.9 %.
 */
const minFall = 0.1;

/**
 * Tests whether a rate of a class has fallen, one-sided. The recent hits count half a record nearer
 * to what is expected, so that the likelihood ratio of a few records is about chi-squared
 * distributed (Yates, Journal of the Royal Statistical Society Supplement 1(2), 1934).
 *
 * @returns null if the class has too few records on one side
 */
export function classStatistic(
  comparison: Comparison,
  name: string,
  rate: ClassRate,
  significance: TestNullModel,
): ClassStatistic | null {
  const recent =
    comparison.recent.performance && classRate(comparison.recent.performance, name, rate);
  if (!recent || recent.total < minRecentOfClass) return null;
  const best = testBestReference(comparison, significance, reference => {
    const performance = reference.performance();
    const before = performance && classRate(performance, name, rate);
    return before && before.total >= minReferenceOfClass ? measureRate(before, recent) : null;
  });
  return best && fallTest(best);
}

/** Returns the right predictions of a class among its labels, or among its predictions. */
export function classRate(performance: WindowPerformance, name: string, rate: ClassRate): Rate {
  const all = rate === 'recall' ? performance.labelCounts : performance.predictedCounts;
  const total = all.get(name) ?? 0;
  return { hits: Math.min(total, performance.rightCounts.get(name) ?? 0), total };
}

function measureRate(before: Rate, now: Rate): MeasuredRate {
  const expected = rateOf(before) * now.total;
  const half = Math.min(0.5, Math.abs(now.hits - expected));
  const hits = now.hits + (now.hits < expected ? half : -half);
  return {
    statistic: likelihoodRatio(before, { hits, total: now.total }),
    degreesOfFreedom: 1,
    size: effectiveCount(before.total, now.total),
    records: now.total,
    referenceRecords: before.total,
    value: rateOf(now),
    referenceValue: rateOf(before),
  };
}

/** The p-value is half of the two-sided one if the rate fell by enough, and 1 if it did not. */
function fallTest({
  test,
  cycle,
  measured,
  judgementOf,
}: BestReferenceTest<MeasuredRate>): ClassStatistic {
  const fall = (statistic: number) => oneSided(judgementOf(statistic));
  const matters = cohensH(test.value, test.referenceValue) >= minFall;
  return {
    ...test,
    cycle,
    measured,
    judgementOf: fall,
    ...fall(test.statistic),
    ...(!matters && { pValue: 1, logPValue: 0 }),
  };
}

/** Returns the rate that a class falls to at a level: the smallest fall that would alarm. */
export function fallenRate(rate: number, statistic: number, size: number): number {
  return rateBelow(rate, Math.max(minFall, Math.sqrt(statistic / size)));
}

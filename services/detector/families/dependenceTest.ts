import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import {
  correlation,
  type FeaturePair,
  largestProduct,
  type PairSums,
  sumsOfPair,
} from '../blocks/featurePairs.ts';
import {
  type Comparison,
  fewestOwnBlocks,
  minimumReferenceBlocks,
} from '../reference/comparison.ts';
import type { Measured } from '../significance/bestTest.ts';
import { type Judgement, judge, type Significance } from '../significance/significance.ts';
import type { Measurement } from '../significance/statisticHistory.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';

/** A smaller change of a correlation does not matter, however many records show it. */
const smallestChange = 0.1;
/** Of records with both features, on either side. */
const fewestRecords = 20;

export interface MeasuredDependence extends Measurement {
  pair: FeaturePair;
  /** Correlation of the grades of the two features, in recent blocks and in those before. */
  value: number;
  referenceValue: number;
  /** Sampled records that have both. */
  records: number;
  referenceRecords: number;
  /** The change of the correlation that belongs to a statistic; infinite where no correlation changes so much. */
  changeAt(statistic: number): number;
}

export interface DependenceTest extends MeasuredDependence, Judgement {
  judgementOf(statistic: number): Judgement;
}

/** Whether the pairs were counted in enough blocks of the reference. */
export function hasDependence({ reference }: Comparison, pairs: readonly FeaturePair[]): boolean {
  return pairs.length > 0 && reference.pairBlocks >= minimumReferenceBlocks;
}

/**
 * Whether two features depend on each other as before: of correlations r and s within blocks, with n and m degrees of freedom (records
 * less blocks), N = n m / (n + m),
 *
 *     z = √N |asin r − asin s|,   statistic = z² / (1 + z M / (3 √N)),
 *
 * chi-squared with 1 degree of freedom. The arc sine has a variance near 1 / n for grades, where Fisher's transformation is right for
 * normal variables only, and far off for features that are nearly copies of each other. The denominator is that of Bernstein's inequality
 * (Bennett, Journal of the American Statistical Association 57, 1962): with M the largest product of the two in standard deviations (of
 * recent blocks or those before), it takes back what a few records of rare values can do by chance.
 *
 * @param index of the pair among those that the blocks have counted
 * @returns null where one of them never varies, or too few records have both
 */
export function measureDependence(
  { recent, reference }: Comparison,
  pair: FeaturePair,
  index: number,
): MeasuredDependence | null {
  if (recent.pairBlocks === 0) return null;
  const now = sumsOfPair(recent.pairs, index);
  const before = sumsOfPair(reference.pairs, index);
  const value = correlation(now);
  const referenceValue = correlation(before);
  if (
    value === null ||
    referenceValue === null ||
    Math.min(now.records, before.records) < fewestRecords
  )
    return null;
  const size = sizeOf(now, recent.pairBlocks, before, reference.pairBlocks);
  const rarity = Math.max(largestProduct(now), largestProduct(before)) / 3 / Math.sqrt(size);
  const z = Math.sqrt(size) * Math.abs(Math.asin(value) - Math.asin(referenceValue));
  return {
    pair,
    statistic: (z * z) / (1 + z * rarity),
    degreesOfFreedom: 1,
    size,
    value,
    referenceValue,
    records: now.records,
    referenceRecords: before.records,
    changeAt: statistic => {
      const half = (statistic * rarity) / 2;
      const distance = (half + Math.sqrt(half * half + statistic)) / Math.sqrt(size);
      const angle = Math.asin(referenceValue) + (value < referenceValue ? -distance : distance);
      return Math.abs(angle) > Math.PI / 2
        ? Number.POSITIVE_INFINITY
        : Math.abs(Math.sin(angle) - referenceValue);
    },
  };
}

/** Each block has its own means, which takes a degree of freedom. */
function sizeOf(now: PairSums, nowBlocks: number, before: PairSums, beforeBlocks: number): number {
  return effectiveCount(before.records - beforeBlocks, now.records - nowBlocks);
}

export function judgeDependence(
  measured: MeasuredDependence,
  { scale, referenceBlocks }: Comparison,
  significance: Significance,
): DependenceTest {
  const judgementOf = (statistic: number) =>
    judge(
      significance,
      { ...measured, statistic },
      scale,
      referenceBlocks.length >= fewestOwnBlocks,
    );
  const matters = changeOf(measured) >= smallestChange;
  return {
    ...measured,
    ...judgementOf(measured.statistic),
    ...(!matters && { pValue: 1, logPValue: 0 }),
    judgementOf,
  };
}

/** Chi-squared of 1 degree of freedom exceeds it once in twenty times. */
const notableStatistic = 3.84;

/** Whether it is worth judging: no history makes a smaller statistic, or a smaller change, significant. */
export function isNotable(measured: MeasuredDependence): boolean {
  return measured.statistic >= notableStatistic && changeOf(measured) >= smallestChange;
}

export function changeOf({ value, referenceValue }: MeasuredDependence): number {
  return Math.abs(value - referenceValue);
}

const noCycles: Measured['cyclic'] = new Map();

/** For the history of the stream: within blocks no time of the day differs from another by what all records share. */
export function measuredOf(measured: MeasuredDependence): Measured {
  return { plain: measured, cyclic: noCycles };
}

/** The change of the correlation that would alarm. */
export function dependenceThreshold(test: DependenceTest, level: number): number {
  return Math.max(smallestChange, test.changeAt(statisticThreshold(test.judgementOf, level)));
}

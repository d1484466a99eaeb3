import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import {
  correlation,
  type FeaturePair,
  largestProduct,
  type PairSums,
  sumsOfPair,
} from '../blocks/featurePairs.ts';
import { type Comparison, minOwnBlocks } from '../reference/comparison.ts';
import { type Judgement, judge, type NullModel } from '../significance/nullModel.ts';
import type { Measurement } from '../significance/statisticHistory.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';
import type { Measured } from '../significance/testBestReference.ts';

/** Change of a correlation below which a difference does not matter, for any number of records. */
const minChange = 0.1;
/** Minimum number of records with both features on each side. */
const minRecords = 20;

export interface MeasuredDependence extends Measurement {
  pair: FeaturePair;
  /** Correlation between the grades of the two features in the recent blocks. */
  value: number;
  referenceValue: number;
  /** Number of sampled records that have both features. */
  records: number;
  referenceRecords: number;
  /**
   * Returns the change of the correlation that belongs to a statistic; infinite if no change is
   * large enough.
   */
  changeAt(statistic: number): number;
}

export interface DependenceStatistic extends MeasuredDependence, Judgement {
  judgementOf(statistic: number): Judgement;
}

/**
 * Measures whether two features depend on each other as before. With correlations r and s within
 * blocks, n and m degrees of freedom (records less blocks) and N = n m / (n + m),
 *
 *     z = √N |asin r − asin s|,   statistic = z² / (1 + z M / (3 √N)),
 *
 * which is chi-squared with 1 degree of freedom. The arc sine has a variance near 1 / n for grades.
 * Fisher's transformation is right for normal variables only, and far off for features that are
 * nearly copies of each other. The denominator is that of Bernstein's inequality (Bennett, Journal
 * of the American Statistical Association 57, 1962). M is the largest product of the two features
 * in standard deviations, in the recent blocks or those before. It takes back what a few records of
 * rare values can do by chance.
 *
 * @param index place of the pair among those that the blocks have counted
 * @returns null where one of the features never varies, or too few records have both
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
    Math.min(now.records, before.records) < minRecords
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

/**
 * Returns the effective number of records. Each block has its own means, which takes one degree of
 * freedom.
 */
function sizeOf(now: PairSums, nowBlocks: number, before: PairSums, beforeBlocks: number): number {
  return effectiveCount(before.records - beforeBlocks, now.records - nowBlocks);
}

export function judgeDependence(
  measured: MeasuredDependence,
  { scale, referenceBlocks }: Comparison,
  significance: NullModel,
): DependenceStatistic {
  const judgementOf = (statistic: number) =>
    judge(significance, { ...measured, statistic }, scale, referenceBlocks.length >= minOwnBlocks);
  const matters = changeOf(measured) >= minChange;
  return {
    ...measured,
    ...judgementOf(measured.statistic),
    ...(!matters && { pValue: 1, logPValue: 0 }),
    judgementOf,
  };
}

/** Chi-squared with 1 degree of freedom exceeds this value once in twenty times. */
const notableStatistic = 3.84;

/**
 * Returns whether a pair is worth judging. With a smaller statistic or a smaller change no history
 * makes it significant.
 */
export function isNotable(measured: MeasuredDependence): boolean {
  return measured.statistic >= notableStatistic && changeOf(measured) >= minChange;
}

export function changeOf({ value, referenceValue }: MeasuredDependence): number {
  return Math.abs(value - referenceValue);
}

const noCycles: Measured['cyclic'] = new Map();

/**
 * Returns what the history of the stream learns. There is no calendar, because correlations are
 * taken within blocks, where the time of day is the same for all records.
 */
export function measuredOf(measured: MeasuredDependence): Measured {
  return { plain: measured, cyclic: noCycles };
}

/** Returns the change of the correlation at which the test says "changed". */
export function dependenceThreshold(test: DependenceStatistic, level: number): number {
  return Math.max(minChange, test.changeAt(statisticThreshold(test.judgementOf, level)));
}

import type { Measured } from './bestTest.ts';
import { type Comparison, fewestOwnBlocks, minimumReferenceBlocks } from './comparison.ts';
import { correlation, type FeaturePair, largestProduct, type PairSums, sumsOfPair } from './featurePairs.ts';
import { type Judgement, judge, type Significance } from './significance.ts';
import { statisticThreshold } from './statisticThreshold.ts';

/** A smaller change of a correlation does not matter, however many records show it. */
const smallestChange = 0.1;
/** Of records with both features, on either side. */
const fewestRecords = 20;

export interface DependenceTest extends Judgement {
  pair: FeaturePair;
  statistic: number;
  /** Correlation of the grades of the two features, in recent blocks and in those before. */
  value: number;
  referenceValue: number;
  /** Sampled records that have both. */
  records: number;
  referenceRecords: number;
  /** What was measured, as history of the stream. */
  measured: Measured;
  judgementOf(statistic: number): Judgement;
  /** The change of the correlation that belongs to a statistic; infinite where no correlation changes so much. */
  changeAt(statistic: number): number;
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
 * (Bennett, Journal of the American Statistical Association 57, 1962): with M the largest product of the two in standard deviations (of recent
 * blocks or those before), it takes back what a few records of rare values can do by chance.
 *
 * @param index of the pair among those that the blocks have counted
 * @returns null where one of them never varies, or too few records have both
 */
export function dependenceTest(
  comparison: Comparison,
  pair: FeaturePair,
  index: number,
  significance: Significance,
): DependenceTest | null {
  const { scale, recent, reference, referenceBlocks } = comparison;
  if (recent.pairBlocks === 0) return null;
  const now = sumsOfPair(recent.pairs, index);
  const before = sumsOfPair(reference.pairs, index);
  const value = correlation(now);
  const referenceValue = correlation(before);
  if (value === null || referenceValue === null || Math.min(now.records, before.records) < fewestRecords) return null;
  const size = sizeOf(now, recent.pairBlocks, before, reference.pairBlocks);
  const rarity = Math.max(largestProduct(now), largestProduct(before)) / 3 / Math.sqrt(size);
  const z = Math.sqrt(size) * Math.abs(Math.asin(value) - Math.asin(referenceValue));
  const statistic = (z * z) / (1 + z * rarity);
  const measurement = { statistic, degreesOfFreedom: 1, size };
  const judgementOf = (other: number) =>
    judge(significance, { ...measurement, statistic: other }, scale, referenceBlocks.length >= fewestOwnBlocks);
  const matters = Math.abs(value - referenceValue) >= smallestChange;
  return {
    pair,
    statistic,
    value,
    referenceValue,
    records: now.records,
    referenceRecords: before.records,
    measured: { plain: measurement, cyclic: noCycles },
    ...judgementOf(statistic),
    ...(!matters && { pValue: 1, logPValue: 0 }),
    judgementOf,
    changeAt: other => {
      const needed = (other * rarity + Math.sqrt((other * rarity) ** 2 + 4 * other)) / 2 / Math.sqrt(size);
      const angle = Math.asin(referenceValue) + Math.sign(value - referenceValue) * needed;
      return Math.abs(angle) > Math.PI / 2 ? Number.POSITIVE_INFINITY : Math.abs(Math.sin(angle) - referenceValue);
    },
  };
}

const noCycles: Measured['cyclic'] = new Map();

/** Each block has its own means, which takes a degree of freedom. */
function sizeOf(now: PairSums, nowBlocks: number, before: PairSums, beforeBlocks: number): number {
  const recent = now.records - nowBlocks;
  const earlier = before.records - beforeBlocks;
  return (recent * earlier) / (recent + earlier);
}

/** The change of the correlation that would alarm. */
export function dependenceThreshold(test: DependenceTest, level: number): number {
  return Math.max(smallestChange, test.changeAt(statisticThreshold(test.judgementOf, level)));
}

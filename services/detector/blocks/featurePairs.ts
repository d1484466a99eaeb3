import { missingCode, type SampledRecords } from '../../shared/profile/recordSample.ts';

/**
 * A feature whose values are put into up to three grades: -1 below both cuts, 0 between them, and 1
 * from the higher cut on. Each grade holds about a third of the reference, so that no value weighs
 * more than another, however far out it lies.
 */
interface GradedFeature {
  name: string;
  /** The lowest code (`codeOf`) of grade 0. */
  lowCut: number;
  /** The lowest code of grade 1. */
  highCut: number;
}

/** Two features whose dependence is watched. */
export interface FeaturePair {
  /** Names the tests of the pair in the history of the stream. */
  key: string;
  names: readonly [string, string];
  grades: readonly [GradedFeature, GradedFeature];
}

/** Eight features have this many pairs. */
export const maxPairs = 28;
/**
 * A feature is left out if one grade holds more than this share, because dependence hardly shows in
 * the rest.
 */
const maxGradeShare = 0.95;
/** From this correlation on, without its sign, a pair is watched before others. */
const minStrongCorrelation = 0.3;

const pairPrefix = 'pair/';

/**
 * Returns whether a key of a test is that of a pair.
 *
 * @example isPairKey('pair/["a","b"]') // true
 */
export function isPairKey(key: string): boolean {
  return key.startsWith(pairPrefix);
}

/**
 * Chooses the pairs of features to watch, at most 28, from the samples of a reference. Where there
 * are more, the pairs with the strongest correlation come first, from 0.3 on; then come neighbours
 * in the order of names, the nearest first. O(features² · records).
 */
export function freezePairs(
  samples: readonly SampledRecords[],
  isWatched: (feature: string) => boolean = () => true,
): FeaturePair[] {
  const names = [...new Set(samples.flatMap(sample => sample.names))].filter(isWatched).sort();
  const features = names.flatMap(name => gradedFeature(name, codesOf(samples, name)) ?? []);
  const pairs: FeaturePair[] = [];
  for (let distance = 1; distance < features.length; distance++) {
    for (const [index, feature] of features.entries()) {
      const other = features[index + distance];
      if (other) pairs.push(pairOf(feature, other));
    }
  }
  if (pairs.length <= maxPairs) return pairs;
  const sums = new Float64Array(pairs.length * numbersPerPair);
  for (const sample of samples) addPairCounts(sums, pairCounts(pairs, sample));
  const strength = pairs.map((_, index) => Math.abs(correlation(sumsOfPair(sums, index)) ?? 0));
  const strong = [...pairs.keys()].filter(index => strength[index]! >= minStrongCorrelation);
  strong.sort((left, right) => strength[right]! - strength[left]!);
  return [...new Set([...strong, ...pairs.keys()])].slice(0, maxPairs).map(index => pairs[index]!);
}

function pairOf(first: GradedFeature, second: GradedFeature): FeaturePair {
  const names = [first.name, second.name] as const;
  return { key: `${pairPrefix}${JSON.stringify(names)}`, names, grades: [first, second] };
}

function codesOf(samples: readonly SampledRecords[], name: string): number[] {
  return samples.flatMap(({ names, hashes, codes }) => {
    const column = names.indexOf(name);
    if (column < 0) return [];
    return hashes.flatMap((_, row) => {
      const code = codes[row * names.length + column]!;
      return code === missingCode ? [] : [code];
    });
  });
}

/**
 * Cuts a feature near its thirds.
 *
 * @returns null if its records nearly always have the same grade
 */
function gradedFeature(name: string, codes: number[]): GradedFeature | null {
  codes.sort((left, right) => left - right);
  const lowCut = cutNear(codes, codes.length / 3);
  const highCut = cutNear(codes, (codes.length * 2) / 3);
  if (lowCut === null || highCut === null) return null;
  const below = codes.filter(code => code < lowCut).length / codes.length;
  const above = codes.filter(code => code >= highCut).length / codes.length;
  if (Math.max(below, above, 1 - below - above) > maxGradeShare) return null;
  return { name, lowCut, highCut };
}

/**
 * Returns the code, other than the smallest, whose number of smaller codes is nearest to `rank`;
 * null if all are equal.
 */
function cutNear(sorted: readonly number[], rank: number): number | null {
  let nearest: { code: number; distance: number } | null = null;
  for (let index = 1; index < sorted.length; index++) {
    if (sorted[index] === sorted[index - 1]) continue;
    const distance = Math.abs(index - rank);
    if (!nearest || distance < nearest.distance) nearest = { code: sorted[index]!, distance };
  }
  return nearest?.code ?? null;
}

const numbersPerPair = 6;

/**
 * Counts the grades of pairs in a sample. The result has six numbers for each pair, one pair after
 * the other: the records with both features, the sums of the first and of the second grade, the
 * sums of their squares, and that of their products. Each fits into a byte, because a sample has at
 * most 64 records.
 *
 * O(pairs · records).
 */
export function pairCounts(pairs: readonly FeaturePair[], sample: SampledRecords): Int8Array {
  const gradesOf = new Map<string, Int8Array>();
  for (const feature of pairs.flatMap(({ grades }) => grades))
    if (!gradesOf.has(feature.name)) gradesOf.set(feature.name, gradesIn(sample, feature));
  const counts = new Int8Array(pairs.length * numbersPerPair);
  for (const [index, { names }] of pairs.entries()) {
    const first = gradesOf.get(names[0])!;
    const second = gradesOf.get(names[1])!;
    const at = index * numbersPerPair;
    for (let row = 0; row < first.length; row++) {
      const left = first[row]!;
      const right = second[row]!;
      if (left === noGrade || right === noGrade) continue;
      counts[at]! += 1;
      counts[at + 1]! += left;
      counts[at + 2]! += right;
      counts[at + 3]! += left * left;
      counts[at + 4]! += right * right;
      counts[at + 5]! += left * right;
    }
  }
  return counts;
}

const noGrade = 2;

function gradesIn(
  { names, hashes, codes }: SampledRecords,
  { name, lowCut, highCut }: GradedFeature,
): Int8Array {
  const column = names.indexOf(name);
  const grades = new Int8Array(hashes.length).fill(noGrade);
  if (column < 0) return grades;
  for (let row = 0; row < grades.length; row++) {
    const code = codes[row * names.length + column]!;
    if (code !== missingCode) grades[row] = code < lowCut ? -1 : code < highCut ? 0 : 1;
  }
  return grades;
}

/**
 * Adds the counts of one block to sums over blocks, in place. Squares and products are taken about
 * the means of the block, so that the sums describe how records vary within blocks. O(pairs).
 */
export function addPairCounts(sums: Float64Array, counts: Int8Array): void {
  for (let at = 0; at < counts.length; at += numbersPerPair) {
    const records = counts[at]!;
    if (records === 0) continue;
    const first = counts[at + 1]!;
    const second = counts[at + 2]!;
    sums[at]! += records;
    sums[at + 1]! += first;
    sums[at + 2]! += second;
    sums[at + 3]! += counts[at + 3]! - (first * first) / records;
    sums[at + 4]! += counts[at + 4]! - (second * second) / records;
    sums[at + 5]! += counts[at + 5]! - (first * second) / records;
  }
}

/** Sums over blocks for one pair; squares and products are about the means of each block. */
export interface PairSums {
  /** Sampled records with both features. */
  records: number;
  /** Sum of the first grades. */
  first: number;
  /** Sum of the second grades. */
  second: number;
  firstSquares: number;
  secondSquares: number;
  products: number;
}

/** Returns the sums of one pair. @param index of the pair among those that were counted */
export function sumsOfPair(sums: Float64Array, index: number): PairSums {
  const at = index * numbersPerPair;
  return {
    records: sums[at]!,
    first: sums[at + 1]!,
    second: sums[at + 2]!,
    firstSquares: sums[at + 3]!,
    secondSquares: sums[at + 4]!,
    products: sums[at + 5]!,
  };
}

/** Subtracting sums of blocks may leave a rest of this size where a grade never varied. */
const minSquares = 1e-6;

/**
 * Returns the correlation of the grades of a pair within blocks, in [-1, 1]. What all records of a
 * block have in common, such as the time of the day, does not count. Null if one of the grades
 * never varies.
 *
 * @example
 * const sums = { records: 4, first: 0, second: 0, firstSquares: 4, secondSquares: 4, products: 2 };
 * correlation(sums) // 0.5
 */
export function correlation({ firstSquares, secondSquares, products }: PairSums): number | null {
  if (Math.min(firstSquares, secondSquares) < minSquares) return null;
  return Math.max(-1, Math.min(1, products / Math.sqrt(firstSquares * secondSquares)));
}

/**
 * Returns the largest product that the two grades of a record can have, each as its distance from
 * the mean in standard deviations. It is large where a grade is rare. Infinite if a grade never
 * varies.
 */
export function largestProduct({
  records,
  first,
  second,
  firstSquares,
  secondSquares,
}: PairSums): number {
  return (
    extremity(first / records, firstSquares / records) *
    extremity(second / records, secondSquares / records)
  );
}

/** Returns the largest distance of a grade from its mean, in standard deviations. */
function extremity(mean: number, variance: number): number {
  return (1 + Math.abs(mean)) / Math.sqrt(variance);
}

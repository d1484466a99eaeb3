import { missingCode, type SampledRecords } from '../../shared/profile/recordSample.ts';

/**
 * A feature with its values in up to three grades: -1 below both cuts, 0 between them, 1 from the higher on. Cut where each holds about a
 * third of the reference, so that no value weighs more than another, however far out it lies.
 */
interface GradedFeature {
  name: string;
  /** Of `recordSample` codes. */
  lowCut: number;
  highCut: number;
}

/** Two features whose dependence is watched. */
export interface FeaturePair {
  /** Of its tests in the history of the stream. */
  key: string;
  names: readonly [string, string];
  grades: readonly [GradedFeature, GradedFeature];
}

/** All pairs of eight features. */
export const mostPairs = 28;
/** A feature that nearly always has the same grade has nothing to depend on. */
const largestGradeShare = 0.95;
/** Pairs that depend on each other so much are watched first. */
const strongCorrelation = 0.3;

const pairPrefix = 'pair/';

export function isPairKey(key: string): boolean {
  return key.startsWith(pairPrefix);
}

/**
 * The pairs that are watched, from the samples of a reference: those that depend on each other the most, then neighbours in the order of
 * names, those next to each other first.
 */
export function freezePairs(samples: readonly SampledRecords[]): FeaturePair[] {
  const names = [...new Set(samples.flatMap(sample => sample.names))].sort();
  const features = names.flatMap(name => gradedFeature(name, codesOf(samples, name)) ?? []);
  const pairs: FeaturePair[] = [];
  for (let distance = 1; distance < features.length; distance++) {
    for (const [index, feature] of features.entries()) {
      const other = features[index + distance];
      if (other) pairs.push(pairOf(feature, other));
    }
  }
  if (pairs.length <= mostPairs) return pairs;
  const sums = new Float64Array(pairs.length * numbersPerPair);
  for (const sample of samples) addPairCounts(sums, pairCounts(pairs, sample));
  const strength = pairs.map((_, index) => Math.abs(correlation(sumsOfPair(sums, index)) ?? 0));
  const strong = [...pairs.keys()].filter(index => strength[index]! >= strongCorrelation);
  strong.sort((left, right) => strength[right]! - strength[left]!);
  return [...new Set([...strong, ...pairs.keys()])].slice(0, mostPairs).map(index => pairs[index]!);
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

/** @returns null for a feature that (nearly) always has the same grade */
function gradedFeature(name: string, codes: number[]): GradedFeature | null {
  codes.sort((left, right) => left - right);
  const lowCut = cutNear(codes, codes.length / 3);
  const highCut = cutNear(codes, (codes.length * 2) / 3);
  if (lowCut === null || highCut === null) return null;
  const below = codes.filter(code => code < lowCut).length / codes.length;
  const above = codes.filter(code => code >= highCut).length / codes.length;
  if (Math.max(below, above, 1 - below - above) > largestGradeShare) return null;
  return { name, lowCut, highCut };
}

/** The value, but the smallest, that comes nearest to having so many values below it; null when all are the same. */
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
 * What of a block is kept of the pairs, one after the other: records with both features, sums of the grades of the first and of the second,
 * of their squares, and of their products. A sample has so few records that a byte holds each. O(pairs · records).
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

/** Adds the counts of one block to sums over blocks, squares and products about the means of the block. */
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

export interface PairSums {
  /** With both features. */
  records: number;
  first: number;
  second: number;
  firstSquares: number;
  secondSquares: number;
  products: number;
}

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

/** Of the sum of blocks what is left of a grade that never varied may not be quite 0. */
const smallestSquares = 1e-6;

/** The correlation of the grades within blocks: what blocks have in common, such as the time of the day, is no part of it. null: one never varies. */
export function correlation({ firstSquares, secondSquares, products }: PairSums): number | null {
  if (Math.min(firstSquares, secondSquares) < smallestSquares) return null;
  return Math.max(-1, Math.min(1, products / Math.sqrt(firstSquares * secondSquares)));
}

/** The largest product of the two grades, each less its mean and in standard deviations. */
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

function extremity(mean: number, variance: number): number {
  return (1 + Math.abs(mean)) / Math.sqrt(variance);
}

import { missingCode, type SampledRecords } from '../shared/profile/recordSample.ts';

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
  const sums = pairSums(pairs, samples[0]!);
  for (const sample of samples.slice(1)) addPairSums(sums, pairSums(pairs, sample), 1);
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

/** What is known of a pair: records with both, sums of their grades, sums of squares and products about the means of each block. */
export interface PairSums {
  records: number;
  first: number;
  second: number;
  firstSquares: number;
  secondSquares: number;
  products: number;
}

const sumsPerPair = 6;

/** The sums of the pairs in one block, one pair after the other. Those of blocks add up: `addPairSums`. O(pairs · records). */
export function pairSums(pairs: readonly FeaturePair[], sample: SampledRecords): Float64Array {
  const gradesOf = new Map<string, Int8Array>();
  for (const feature of pairs.flatMap(({ grades }) => grades))
    if (!gradesOf.has(feature.name)) gradesOf.set(feature.name, gradesIn(sample, feature));
  const sums = new Float64Array(pairs.length * sumsPerPair);
  for (const [index, { names }] of pairs.entries()) {
    const first = gradesOf.get(names[0])!;
    const second = gradesOf.get(names[1])!;
    let records = 0;
    let [a, b] = [0, 0];
    let [aa, bb, ab] = [0, 0, 0];
    for (let row = 0; row < first.length; row++) {
      const left = first[row]!;
      const right = second[row]!;
      if (left === noGrade || right === noGrade) continue;
      records += 1;
      a += left;
      b += right;
      aa += left * left;
      bb += right * right;
      ab += left * right;
    }
    if (records > 0)
      sums.set(
        [records, a, b, aa - (a * a) / records, bb - (b * b) / records, ab - (a * b) / records],
        index * sumsPerPair,
      );
  }
  return sums;
}

const noGrade = 2;

function gradesIn({ names, hashes, codes }: SampledRecords, { name, lowCut, highCut }: GradedFeature): Int8Array {
  const column = names.indexOf(name);
  const grades = new Int8Array(hashes.length).fill(noGrade);
  if (column < 0) return grades;
  for (let row = 0; row < grades.length; row++) {
    const code = codes[row * names.length + column]!;
    if (code !== missingCode) grades[row] = code < lowCut ? -1 : code < highCut ? 0 : 1;
  }
  return grades;
}

/** @param sign -1 takes them away */
export function addPairSums(sums: Float64Array, others: Float64Array, sign: 1 | -1): void {
  for (let index = 0; index < sums.length; index++) sums[index]! += sign * others[index]!;
}

export function sumsOfPair(sums: Float64Array, index: number): PairSums {
  const at = index * sumsPerPair;
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
export function largestProduct({ records, first, second, firstSquares, secondSquares }: PairSums): number {
  return extremity(first / records, firstSquares / records) * extremity(second / records, secondSquares / records);
}

function extremity(mean: number, variance: number): number {
  return (1 + Math.abs(mean)) / Math.sqrt(variance);
}

import { categoryHash } from './categoryHash.ts';
import {
  fromHistogramColumns,
  type HistogramColumns,
  histogramColumns,
} from './histogramColumns.ts';
import {
  addRepeatedNumber,
  emptyNumericHistogram,
  mergeNumericHistograms,
  type NumericHistogram,
} from './numericHistogram.ts';

/** A vector with more numbers is only counted. */
export const maxDimension = 4096;
/** Vectors of more different dimensions are only counted. */
const maxDimensions = 4;
/**
 * Four groups give three differences of means per window. Two give one, which shows too little of
 * how vectors vary; eight were not noticeably better.
 */
const groupCount = 4;
/** Norms are told apart to this share, which is more than float32 loses. */
const normDigits = 5;

/** The vectors of one dimension. */
export interface VectorSums {
  count: number;
  /** The sum of the vectors. */
  sum: Float64Array;
  /** The sum of the squares of their norms. */
  squares: number;
  /** Their Euclidean norms, to five digits. */
  norms: NumericHistogram;
  /**
   * The vectors by groups of records, chosen by the hashes of their ids. The means of the groups of
   * a window differ by chance alone, however much the window differs from others. Null where they
   * are not known, as in summaries from before groups were counted.
   */
  groups: VectorGroup[] | null;
}

/** The vectors of about a fourth of the records. */
export interface VectorGroup {
  count: number;
  sum: Float64Array;
}

/**
 * A mergeable summary of vectors, such as embeddings. It holds the sum of the vectors and their
 * norms for up to four dimensions, and beyond that the number of vectors alone. Which of the two it
 * holds depends on the set of dimensions, so that any order of adding and merging gives the same,
 * except for the last bits of sums.
 */
export interface VectorSummary {
  /** All vectors. */
  count: number;
  /** Vectors with a number that is NaN or infinite; they are in no sum. */
  nonFinite: number;
  /** By dimension; empty once there were too many dimensions. */
  byDimension: Map<number, VectorSums>;
  /** Whether there were too many dimensions. */
  mixed: boolean;
}

interface StoredVectorSummary {
  count: number;
  nonFinite: number;
  mixed: boolean;
  sums: {
    count: number;
    sum: string;
    squares: number;
    norms: HistogramColumns;
    /** Absent in summaries from before groups were counted. */
    groups?: { count: number; sum: string }[] | null;
  }[];
}

export function emptyVectorSummary(): VectorSummary {
  return { count: 0, nonFinite: 0, byDimension: new Map(), mixed: false };
}

/**
 * Adds one vector, in place. O(dimension).
 *
 * @param id of its record
 */
export function addVector(summary: VectorSummary, vector: readonly number[], id: string): void {
  summary.count += 1;
  let squares = 0;
  for (let index = 0; index < vector.length; index++) squares += vector[index]! * vector[index]!;
  if (!Number.isFinite(squares)) {
    summary.nonFinite += 1;
    return;
  }
  if (vector.length === 0 || vector.length > maxDimension || summary.mixed) return;
  const sums = sumsOf(summary, vector.length);
  if (!sums) return;
  addNumbers(sums.sum, vector);
  sums.count += 1;
  const group = sums.groups?.[groupOf(id)];
  if (group) {
    addNumbers(group.sum, vector);
    group.count += 1;
  }
  sums.squares += squares;
  addRepeatedNumber(sums.norms, Number(Math.sqrt(squares).toPrecision(normDigits)), 1);
}

function groupOf(id: string): number {
  return categoryHash(id) % groupCount;
}

function addNumbers(sum: Float64Array, added: ArrayLike<number>): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += added[index]!;
}

/** Returns the sums of a dimension; null if they would be too many, which ends all of them. */
function sumsOf(summary: VectorSummary, dimension: number): VectorSums | null {
  const known = summary.byDimension.get(dimension);
  if (known) return known;
  if (summary.byDimension.size === maxDimensions) {
    summary.mixed = true;
    summary.byDimension.clear();
    return null;
  }
  const sums = {
    count: 0,
    sum: new Float64Array(dimension),
    squares: 0,
    norms: emptyNumericHistogram(),
    groups: Array.from({ length: groupCount }, () => ({
      count: 0,
      sum: new Float64Array(dimension),
    })),
  };
  summary.byDimension.set(dimension, sums);
  return sums;
}

/** Returns one summary of the vectors of some summaries, which stay as they are. O(dimensions). */
export function mergeVectorSummaries(...summaries: readonly VectorSummary[]): VectorSummary {
  const merged = emptyVectorSummary();
  const dimensions = new Set(summaries.flatMap(({ byDimension }) => [...byDimension.keys()]));
  merged.mixed = dimensions.size > maxDimensions || summaries.some(({ mixed }) => mixed);
  for (const { count, nonFinite, byDimension } of summaries) {
    merged.count += count;
    merged.nonFinite += nonFinite;
    if (merged.mixed) continue;
    for (const [dimension, added] of byDimension) {
      const sums = sumsOf(merged, dimension)!;
      sums.count += added.count;
      sums.squares += added.squares;
      addNumbers(sums.sum, added.sum);
      sums.norms = mergeNumericHistograms(sums.norms, added.norms);
      sums.groups = mergedGroups(sums.groups, added.groups);
    }
  }
  return merged;
}

function mergedGroups(
  groups: VectorGroup[] | null,
  added: VectorGroup[] | null,
): VectorGroup[] | null {
  if (!groups || !added) return null;
  for (const [index, { count, sum }] of added.entries()) {
    groups[index]!.count += count;
    addNumbers(groups[index]!.sum, sum);
  }
  return groups;
}

/** Returns a summary as it is stored, in JSON, in an order that depends on its content alone. */
export function storedVectorSummary({ byDimension, ...counts }: VectorSummary): string {
  const sums = [...byDimension]
    .sort(([left], [right]) => left - right)
    .map(([, { count, sum, squares, norms, groups }]) => ({
      count,
      sum: base64Of(sum),
      squares,
      norms: histogramColumns(norms),
      groups: groups?.map(group => ({ count: group.count, sum: base64Of(group.sum) })) ?? null,
    }));
  const stored: StoredVectorSummary = { ...counts, sums };
  return JSON.stringify(stored);
}

function base64Of({ buffer, byteOffset, byteLength }: Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function numbersOf(base64: string): Float64Array {
  return new Float64Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

/** Returns the summary that `storedVectorSummary` was given, or null for an empty text. */
export function readVectorSummary(text: string | undefined): VectorSummary | null {
  if (!text) return null;
  const { sums, ...counts }: StoredVectorSummary = JSON.parse(text);
  const byDimension = new Map<number, VectorSums>();
  for (const { count, sum, squares, norms, groups } of sums) {
    const numbers = numbersOf(sum);
    byDimension.set(numbers.length, {
      count,
      sum: numbers,
      squares,
      norms: fromHistogramColumns(norms),
      groups: groups?.map(group => ({ count: group.count, sum: numbersOf(group.sum) })) ?? null,
    });
  }
  return { ...counts, byDimension };
}

/** Returns about how many bytes of memory a summary takes. */
export function vectorSummaryBytes({ byDimension }: VectorSummary): number {
  let bytes = 200;
  for (const { sum, norms } of byDimension.values())
    bytes += 600 + sum.byteLength * (1 + groupCount) + norms.bucketKeys.byteLength * 4;
  return bytes;
}

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
  sums: { count: number; sum: string; squares: number; norms: HistogramColumns }[];
}

export function emptyVectorSummary(): VectorSummary {
  return { count: 0, nonFinite: 0, byDimension: new Map(), mixed: false };
}

/** Adds one vector, in place. O(dimension). */
export function addVector(summary: VectorSummary, vector: readonly number[]): void {
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
  const { sum } = sums;
  for (let index = 0; index < vector.length; index++) sum[index]! += vector[index]!;
  sums.count += 1;
  sums.squares += squares;
  addRepeatedNumber(sums.norms, Number(Math.sqrt(squares).toPrecision(normDigits)), 1);
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
  const sum = new Float64Array(dimension);
  const sums = { count: 0, sum, squares: 0, norms: emptyNumericHistogram() };
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
      for (let index = 0; index < dimension; index++) sums.sum[index]! += added.sum[index]!;
      sums.norms = mergeNumericHistograms(sums.norms, added.norms);
    }
  }
  return merged;
}

/** Returns a summary as it is stored, in JSON, in an order that depends on its content alone. */
export function storedVectorSummary({ byDimension, ...counts }: VectorSummary): string {
  const sums = [...byDimension]
    .sort(([left], [right]) => left - right)
    .map(([, { count, sum, squares, norms }]) => ({
      count,
      sum: Buffer.from(sum.buffer, sum.byteOffset, sum.byteLength).toString('base64'),
      squares,
      norms: histogramColumns(norms),
    }));
  const stored: StoredVectorSummary = { ...counts, sums };
  return JSON.stringify(stored);
}

/** Returns the summary that `storedVectorSummary` was given, or null for an empty text. */
export function readVectorSummary(text: string | undefined): VectorSummary | null {
  if (!text) return null;
  const { sums, ...counts }: StoredVectorSummary = JSON.parse(text);
  const byDimension = new Map<number, VectorSums>();
  for (const { count, sum, squares, norms } of sums) {
    const numbers = new Float64Array(Uint8Array.from(Buffer.from(sum, 'base64')).buffer);
    const read = { count, sum: numbers, squares, norms: fromHistogramColumns(norms) };
    byDimension.set(numbers.length, read);
  }
  return { ...counts, byDimension };
}

/** Returns about how many bytes of memory a summary takes. */
export function vectorSummaryBytes({ byDimension }: VectorSummary): number {
  let bytes = 200;
  for (const { sum, norms } of byDimension.values())
    bytes += 300 + sum.byteLength + norms.bucketKeys.byteLength * 4;
  return bytes;
}

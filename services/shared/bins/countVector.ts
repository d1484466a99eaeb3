/**
 * The number of records in each bin of a variable. First come the bins of values that the reference
 * has, the *seen* bins, then four special bins:
 *
 * | index | bin        | records                                                        |
 * | ----- | ---------- | -------------------------------------------------------------- |
 * | 0 …   | seen       | with a value that the reference has; there are `seenBins`      |
 * | s     | unseen     | with a value of the right type that the reference does not have |
 * | s + 1 | non-finite | with NaN, Infinity or -Infinity                                |
 * | s + 2 | wrong type | with a text where the reference has numbers, or the reverse    |
 * | s + 3 | missing    | without a value                                                |
 *
 * Every record lies in exactly one bin, so that the counts sum to the number of records. Vectors of
 * the same bins (`FeatureBins`) have the same length and are added bin by bin. A vector that was
 * counted holds whole numbers; one that is expected (`calendarReference`) may hold fractions.
 *
 * This file is the only one that knows the order of the special bins. A vector is a plain array, so
 * that loops over its bins stay fast and checkpoints can store it. The functions below read it at a
 * fixed distance from its end, without a check: on an array with fewer than four numbers they
 * return undefined.
 */
export type CountVector = number[];

const specialBinCount = 4;

/**
 * Returns the counts of all bins in their order.
 *
 * @param valid counts of the seen bins, then of the unseen one
 * @example countVector([5, 4, 3], 1, 0, 2) // [5, 4, 3, 1, 0, 2]
 */
export function countVector(
  valid: readonly number[],
  nonFinite: number,
  wrongType: number,
  missing: number,
): CountVector {
  return [...valid, nonFinite, wrongType, missing];
}

/**
 * Returns the length of a count vector with that number of seen bins.
 * @example totalBins(10) // 14
 */
export function totalBins(seenBins: number): number {
  return seenBins + specialBinCount;
}

/**
 * Returns the number of bins of valid values: the seen ones and the unseen one.
 * @example validBinCount(10) // 11
 */
export function validBinCount(seenBins: number): number {
  return seenBins + 1;
}

/** Returns the index of the unseen bin. @example unseenBin(10) // 10 */
export function unseenBin(seenBins: number): number {
  return seenBins;
}

/** Returns the index of the non-finite bin. @example nonFiniteBin(10) // 11 */
export function nonFiniteBin(seenBins: number): number {
  return seenBins + 1;
}

/** Returns the index of the wrong-type bin. @example wrongTypeBin(10) // 12 */
export function wrongTypeBin(seenBins: number): number {
  return seenBins + 2;
}

/** Returns the index of the missing bin. @example missingBin(10) // 13 */
export function missingBin(seenBins: number): number {
  return seenBins + 3;
}

/**
 * Returns the number of seen bins of a count vector.
 * @example seenBinsOf([5, 4, 0, 1, 0, 2]) // 2
 */
export function seenBinsOf(counts: readonly number[]): number {
  return counts.length - specialBinCount;
}

/**
 * Returns a copy of the counts of the seen bins.
 * @example seenCounts([5, 4, 3, 1, 0, 2]) // [5, 4]
 */
export function seenCounts(counts: readonly number[]): number[] {
  return counts.slice(0, seenBinsOf(counts));
}

/**
 * Returns a copy of the counts of valid values: the seen bins, then the unseen one. The
 * distribution of a variable is judged by these alone; the other bins are a matter of data quality.
 *
 * @example validCounts([5, 4, 3, 1, 0, 2]) // [5, 4, 3]
 */
export function validCounts(counts: readonly number[]): number[] {
  return counts.slice(0, validBinCount(seenBinsOf(counts)));
}

/**
 * Returns the number of records with an unseen value.
 * @example unseenCount([5, 4, 3, 1, 0, 2]) // 3
 */
export function unseenCount(counts: readonly number[]): number {
  return counts[unseenBin(seenBinsOf(counts))]!;
}

/**
 * Returns the number of records with a non-finite number.
 * @example nonFiniteCount([5, 4, 3, 1, 0, 2]) // 1
 */
export function nonFiniteCount(counts: readonly number[]): number {
  return counts[nonFiniteBin(seenBinsOf(counts))]!;
}

/**
 * Returns the number of records with a value of the wrong type.
 * @example wrongTypeCount([5, 4, 3, 1, 0, 2]) // 0
 */
export function wrongTypeCount(counts: readonly number[]): number {
  return counts[wrongTypeBin(seenBinsOf(counts))]!;
}

/** Returns the number of records without a value. @example missingCount([5, 4, 3, 1, 0, 2]) // 2 */
export function missingCount(counts: readonly number[]): number {
  return counts[missingBin(seenBinsOf(counts))]!;
}

/**
 * Returns the number of records in all bins. O(bins).
 * @example totalCount([5, 4, 3, 1, 0, 2]) // 15
 */
export function totalCount(counts: readonly number[]): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

/** Adds records without a value, in place. */
export function addMissing(counts: CountVector, records: number): void {
  counts[missingBin(seenBinsOf(counts))]! += records;
}

/** Moves records from one bin to the unseen bin, in place. */
export function moveToUnseen(counts: CountVector, bin: number, records: number): void {
  counts[bin]! -= records;
  counts[unseenBin(seenBinsOf(counts))]! += records;
}

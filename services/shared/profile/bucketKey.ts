import { endianness } from 'node:os';

/**
 * Mantissa bits of the finest buckets. With sign and exponent they are exactly the high 32 bits of
 * a float64.
 */
export const finestMantissaBits = 20;
/**
 * Mantissa bits of the coarsest buckets. Below 0, a bucket spans several powers of two; these span
 * 8 each.
 */
export const coarsestMantissaBits = -3;
/** The name that the evaluator still imports. */
export const FINEST_MANTISSA_BITS = finestMantissaBits;

const nonFiniteHighWord = 0x7ff00000;
const float64 = new Float64Array(1);
const words = new Int32Array(float64.buffer);
/** The half of a float64 that is its high word: 0 or 1. */
export const highWord = endianness() === 'LE' ? 1 : 0;

/**
 * Returns the key of the finest bucket that holds a finite number: the high word of its float64
 * (sign, exponent, 20 mantissa bits) as a signed 32-bit integer. Negative keys are flipped, so that
 * keys are in the order of the numbers.
 *
 * The key of a coarser bucket is an arithmetic shift, for either sign: `bucketKey(x) >> (20 -
 * mantissaBits)`. A bucket is 2^-mantissaBits wide relative to the power of two below it, so that
 * at 20 bits every integer up to 2^21 has a bucket of its own. -0 and +0 share bucket 0, with
 * positive numbers below 2^-1042; negative numbers above -2^-1042 are in bucket -1. O(1). For NaN
 * and ±Infinity, which no histogram counts in a bucket, the result means nothing.
 *
 * @example [-1, 0, 1, 2].map(bucketKey) // [-1072693249, 0, 1072693248, 1073741824]
 */
export function bucketKey(value: number): number {
  float64[0] = value + 0; // -0 + 0 is +0
  return bucketKeyOfWord(words[highWord]!);
}

/** Returns the same as `bucketKey` for the high word of a number that is not -0. */
export function bucketKeyOfWord(word: number): number {
  return word ^ ((word >> 31) & 0x7fffffff);
}

/**
 * Returns the end of a bucket that is nearer to zero. It belongs to the bucket (except for bucket
 * -1, whose end is 0). At a resolution where integers are exact, it is the integer that the bucket
 * holds.
 *
 * @example bucketInnerBound(bucketKey(-3), 20) // -3
 */
export function bucketInnerBound(key: number, mantissaBits: number): number {
  return key < 0 ? -magnitude(~key, mantissaBits) + 0 : magnitude(key, mantissaBits);
}

/**
 * Returns the end of a bucket that is farther from zero. It belongs to the next bucket; for the
 * outermost buckets it is ±Infinity. With one mantissa bit the bucket of 3 is [3, 4):
 *
 * @example bucketOuterBound(bucketKey(3) >> 19, 1) // 4
 */
export function bucketOuterBound(key: number, mantissaBits: number): number {
  return key < 0 ? -magnitude(~key + 1, mantissaBits) : magnitude(key + 1, mantissaBits);
}

function magnitude(magnitudeKey: number, mantissaBits: number): number {
  // A product, because magnitudeKey << … overflows past Infinity.
  const high = magnitudeKey * (1 << (finestMantissaBits - mantissaBits));
  if (high >= nonFiniteHighWord) return Number.POSITIVE_INFINITY;
  words[highWord] = high;
  words[1 - highWord] = 0;
  return float64[0]!;
}

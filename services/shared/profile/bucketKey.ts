import { endianness } from 'node:os';

/** Mantissa bits of the finest buckets: with sign and exponent, exactly the high 32 bits of a float64. */
export const FINEST_MANTISSA_BITS = 20;

const NON_FINITE_HIGH_WORD = 0x7ff00000;
const float64 = new Float64Array(1);
const words = new Int32Array(float64.buffer);
/** Which half of a float64 is its high word. */
export const HIGH_WORD = endianness() === 'LE' ? 1 : 0;

/**
 * The key of the finest bucket that holds a finite number: the high word of its float64 (sign, exponent, 20 mantissa
 * bits) as a signed 32-bit integer, with negatives flipped so that keys order as the numbers do.
 *
 * A coarser key is an arithmetic shift, for either sign: `bucketKey(x) >> (20 - mantissaBits)`. A bucket is
 * 2^-mantissaBits wide relative to the power of two below it, so at 20 bits every integer up to 2^21 has its own.
 * -0 and +0 share bucket 0 (with positives below 2^-1042, negatives above -2^-1042 being bucket -1).
 *
 * @example bucketKey(0); // 0
 * @example bucketKey(-1) < bucketKey(0) && bucketKey(1) < bucketKey(2); // true
 */
export function bucketKey(value: number): number {
  float64[0] = value + 0; // -0 + 0 is +0
  return bucketKeyOfWord(words[HIGH_WORD]!);
}

/** The same of the high word of a number that is not -0. */
export function bucketKeyOfWord(highWord: number): number {
  return highWord ^ ((highWord >> 31) & 0x7fffffff);
}

/**
 * The end of a bucket that is nearer to zero. It belongs to the bucket (but for bucket -1, whose end is 0), and it is
 * the very value of a bucket that holds an integer at a resolution where integers are exact.
 *
 * @example bucketInnerBound(bucketKey(-3), 20); // -3
 */
export function bucketInnerBound(key: number, mantissaBits: number): number {
  return key < 0 ? -magnitude(~key, mantissaBits) + 0 : magnitude(key, mantissaBits);
}

/**
 * The end of a bucket that is farther from zero, which belongs to the next bucket; ±Infinity for the outermost.
 *
 * @example bucketOuterBound(bucketKey(3) >> 19, 1); // 4: with one mantissa bit the bucket of 3 is [3, 4)
 */
export function bucketOuterBound(key: number, mantissaBits: number): number {
  return key < 0 ? -magnitude(~key + 1, mantissaBits) : magnitude(key + 1, mantissaBits);
}

function magnitude(magnitudeKey: number, mantissaBits: number): number {
  // Not magnitudeKey << …, which overflows past Infinity.
  const highWord = magnitudeKey * (1 << (FINEST_MANTISSA_BITS - mantissaBits));
  if (highWord >= NON_FINITE_HIGH_WORD) return Number.POSITIVE_INFINITY;
  words[HIGH_WORD] = highWord;
  words[1 - HIGH_WORD] = 0;
  return float64[0]!;
}

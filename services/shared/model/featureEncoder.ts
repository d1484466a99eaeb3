import { fnv1a } from '../profile/categoryHash.ts';
import { commaNumber, hasDecimalComma } from '../profile/commaNumber.ts';
import { writtenNumber } from '../profile/writtenNumber.ts';

/**
 * The inputs of one prediction, by name. An absent one, null, undefined and non-finite numbers are
 * missing.
 */
export type FeatureRow = Record<string, number | string | boolean | null | undefined>;

/**
 * A text feature with more distinct values than this is hashed instead of having a column for each
 * value, because the WASM backend cannot train embeddings.
 */
export const maxLevels = 50;
const hashBuckets = 64;
/**
 * Standardised inputs are clipped at this many standard deviations, so that one absurd value does
 * not drown all others.
 */
const maxDeviations = 10;
/**
 * Numbers are clipped here before means are taken, because the sum of larger squares would not be
 * finite.
 */
const maxMagnitude = 1e100;

/** Share of the texts that have to be numbers for them to be encoded as such. */
const minShareOfNumbers = 0.95;

/**
 * The encoding of one feature. `missing` says whether it has an indicator column, which it has if
 * rows without the feature were seen; `written`, whether texts are encoded as the numbers that they
 * say, which have decimal commas with `commas`.
 */
export type EncodedFeature =
  | {
      kind: 'numeric';
      name: string;
      mean: number;
      deviation: number;
      missing: boolean;
      written?: true | 'commas';
    }
  | { kind: 'levels'; name: string; levels: string[]; missing: boolean }
  | { kind: 'hashed'; name: string; missing: boolean };

/** The encoding of rows as the numbers that a network takes, as plain JSON. */
export interface FeatureEncoder {
  features: EncodedFeature[];
  /** The number of inputs per row. */
  width: number;
}

/**
 * Learns how to encode the named features: as a standardised number, as one column for each level,
 * or beyond 50 levels as a multi-hot hash (Weinberger et al., "Feature Hashing for Large Scale
 * Multitask Learning", ICML 2009). More than 50 different texts that are numbers are encoded as
 * numbers.
 *
 * The type of a feature is that of most of its values, numeric on a tie. A value of the other type
 * is encoded as missing. A feature that no row has becomes a constant 0 with an indicator. O(rows ·
 * features).
 *
 * @param names in the order of the columns
 * @example fitEncoder([{ price: 1 }, { price: 3 }], ['price']).width // 1
 */
export function fitEncoder(rows: readonly FeatureRow[], names: readonly string[]): FeatureEncoder {
  const features = names.map(name => fitFeature(rows, name));
  return { features, width: features.reduce((width, feature) => width + featureWidth(feature), 0) };
}

/**
 * Encodes rows as rows × `encoder.width` numbers, row by row. A level that the encoder does not
 * know has zeros in all columns, and so has a missing value without an indicator column. O(rows ·
 * width).
 *
 * @example
 * const encoder = fitEncoder([{ city: 'Rome' }, { city: 'Oslo' }], ['city']);
 * [...encodeRows(encoder, [{ city: 'Oslo' }, { city: 'Rome' }])] // [1, 0, 0, 1]
 */
export function encodeRows(encoder: FeatureEncoder, rows: readonly FeatureRow[]): Float32Array {
  const encoded = new Float32Array(rows.length * encoder.width);
  let column = 0;
  for (const feature of encoder.features) {
    const encode = featureWriter(feature, encoded);
    for (const [index, row] of rows.entries())
      encode(row[feature.name], index * encoder.width + column);
    column += featureWidth(feature);
  }
  return encoded;
}

function fitFeature(rows: readonly FeatureRow[], name: string): EncodedFeature {
  const numbers: number[] = [];
  const texts = new Map<string, number>();
  let textCount = 0;
  for (const row of rows) {
    const value = row[name];
    const number = numberOf(value);
    const text = textOf(value);
    if (number !== null) numbers.push(number);
    else if (text !== null) {
      textCount++;
      texts.set(text, (texts.get(text) ?? 0) + 1);
    }
  }
  const missing = Math.max(numbers.length, textCount) < rows.length;
  if (numbers.length >= textCount)
    return { kind: 'numeric', name, ...meanAndDeviation(numbers), missing };
  if (texts.size > maxLevels)
    return writtenNumbers(rows, name, textCount) ?? { kind: 'hashed', name, missing };
  return { kind: 'levels', name, levels: [...texts.keys()].sort(), missing };
}

/** Encodes texts as the numbers that they say; null where too few say one. */
function writtenNumbers(
  rows: readonly FeatureRow[],
  name: string,
  textCount: number,
): EncodedFeature | null {
  const withCommas = rows.filter(row => hasDecimalComma(textOf(row[name]) ?? '')).length;
  const written = withCommas > textCount * (1 - minShareOfNumbers) ? 'commas' : true;
  const numberIn = written === 'commas' ? commaNumberOf : writtenNumberOf;
  const numbers = rows.flatMap(row => numberIn(row[name]) ?? []);
  if (numbers.length < textCount * minShareOfNumbers) return null;
  const missing = numbers.length < rows.length;
  return { kind: 'numeric', name, ...meanAndDeviation(numbers), missing, written };
}

/**
 * Returns the mean and the population standard deviation of numbers in one pass. Constant numbers,
 * and none, have the deviation 1, so that they can be divided by it. O(n).
 *
 * Source: Welford, Technometrics 4(3), 1962, in Knuth, The Art of Computer Programming 2, 3rd ed.,
 * section 4.2.2.
 *
 * @example meanAndDeviation([1, 3]) // { mean: 2, deviation: 1 }
 */
export function meanAndDeviation(numbers: readonly number[]): { mean: number; deviation: number } {
  let mean = 0;
  let squares = 0;
  for (const [index, number] of numbers.entries()) {
    const distance = number - mean;
    mean += distance / (index + 1);
    squares += distance * (number - mean);
  }
  return { mean, deviation: Math.sqrt(squares / Math.max(1, numbers.length)) || 1 };
}

function featureWidth(feature: EncodedFeature): number {
  const columns =
    feature.kind === 'numeric'
      ? 1
      : feature.kind === 'levels'
        ? feature.levels.length
        : hashBuckets;
  return columns + (feature.missing ? 1 : 0);
}

/** Returns a function that writes one value into zeros, from `offset` on. */
function featureWriter(
  feature: EncodedFeature,
  encoded: Float32Array,
): (value: FeatureRow[string], offset: number) => void {
  const missingColumn = featureWidth(feature) - 1;
  const writeMissing = (offset: number) => {
    if (feature.missing) encoded[offset + missingColumn] = 1;
  };
  if (feature.kind === 'numeric') {
    const { mean, deviation } = feature;
    const numberIn =
      feature.written === 'commas' ? commaNumberOf : feature.written ? writtenNumberOf : numberOf;
    return (value, offset) => {
      const number = numberIn(value);
      if (number === null) writeMissing(offset);
      else
        encoded[offset] = Math.max(
          -maxDeviations,
          Math.min(maxDeviations, (number - mean) / deviation),
        );
    };
  }
  if (feature.kind === 'levels') {
    const columnOfLevel = new Map(feature.levels.map((level, column) => [level, column]));
    return (value, offset) => {
      const text = textOf(value);
      const column = text === null ? undefined : columnOfLevel.get(text);
      if (text === null) writeMissing(offset);
      else if (column !== undefined) encoded[offset + column] = 1;
    };
  }
  return (value, offset) => {
    const text = textOf(value);
    if (text === null) writeMissing(offset);
    else for (const bucket of hashedBuckets(text)) encoded[offset + bucket] = 1;
  };
}

/**
 * Returns the two buckets that a value sets. Two values that share one bucket mostly differ in the
 * other. A bucket is the top six bits after multiplicative hashing (Knuth 3, section 6.4), because
 * the lowest bits of FNV-1a depend only on the lowest bits of the characters.
 */
function hashedBuckets(text: string): [number, number] {
  const hash = fnv1a(text);
  const top = 32 - Math.log2(hashBuckets);
  return [Math.imul(hash, 0x9e3779b1) >>> top, Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> top];
}

function numberOf(value: FeatureRow[string]): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return Math.max(-maxMagnitude, Math.min(maxMagnitude, value));
}

/** Returns a number, or the one that a text says. */
function writtenNumberOf(value: FeatureRow[string]): number | null {
  return numberOf(typeof value === 'string' ? writtenNumber(value) : value);
}

/** Returns a number, or the one that a text with a decimal comma says. */
function commaNumberOf(value: FeatureRow[string]): number | null {
  return numberOf(typeof value === 'string' ? commaNumber(value) : value);
}

function textOf(value: FeatureRow[string]): string | null {
  return typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : null;
}

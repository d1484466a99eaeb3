import { fnv1a } from '../profile/categoryHash.ts';

/** Inputs of one prediction by name; an absent one, null and NaN are missing. */
export type FeatureRow = Record<string, number | string | boolean | null | undefined>;

/** More distinct values than this are hashed instead of having a column each: the WASM backend trains no embeddings. */
export const mostLevels = 50;
const hashBuckets = 64;
/** Standardised inputs are held to this many standard deviations: one absurd value must not drown all others. */
const mostDeviations = 10;
/** Larger numbers are held to it before means are taken, as the sum of their squares would not be finite. */
const largestMagnitude = 1e100;

/** `missing`: whether an indicator column exists, which it does if rows without the feature were seen. */
export type EncodedFeature =
  | { kind: 'numeric'; name: string; mean: number; deviation: number; missing: boolean }
  | { kind: 'levels'; name: string; levels: string[]; missing: boolean }
  | { kind: 'hashed'; name: string; missing: boolean };

/** Plain JSON: how rows become the numbers that a network takes. */
export interface FeatureEncoder {
  features: EncodedFeature[];
  /** Numbers per row. */
  width: number;
}

/**
 * Learns the encoding of the named features: a standardised number, a column per level, or, beyond 50 levels, a multi-hot hash
 * (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009). The type of a feature is that of most of its
 * values; a value of the other type is then as good as missing.
 */
export function fitEncoder(rows: readonly FeatureRow[], names: readonly string[]): FeatureEncoder {
  const features = names.map(name => fitFeature(rows, name));
  return { features, width: features.reduce((width, feature) => width + featureWidth(feature), 0) };
}

/** @returns rows × encoder.width numbers, row by row */
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
  if (texts.size > mostLevels) return { kind: 'hashed', name, missing };
  return { kind: 'levels', name, levels: [...texts.keys()].sort(), missing };
}

/** One pass (Welford 1962, in Knuth, The Art of Computer Programming 2, section 4.2.2). A constant has deviation 1. */
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

/** A function that writes one value from `offset` on, into zeros. */
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
    return (value, offset) => {
      const number = numberOf(value);
      if (number === null) writeMissing(offset);
      else
        encoded[offset] = Math.max(
          -mostDeviations,
          Math.min(mostDeviations, (number - mean) / deviation),
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
 * The two buckets that a value lights: two values that share one mostly differ in the other. The top six bits of the hash after
 * multiplicative hashing (Knuth 3, section 6.4), as the lowest bits of FNV-1a see only the lowest bits of the characters.
 */
function hashedBuckets(text: string): [number, number] {
  const hash = fnv1a(text);
  const top = 32 - Math.log2(hashBuckets);
  return [Math.imul(hash, 0x9e3779b1) >>> top, Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> top];
}

function numberOf(value: FeatureRow[string]): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return Math.max(-largestMagnitude, Math.min(largestMagnitude, value));
}

function textOf(value: FeatureRow[string]): string | null {
  return typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : null;
}

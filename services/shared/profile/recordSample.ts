import { bucketKey } from './bucketKey.ts';
import { fnv1a } from './categoryHash.ts';
import { commaNumber, hasDecimalComma } from './commaNumber.ts';
import { mixedHash } from './distinctValues.ts';
import type { FeatureValue, Vector } from './featureProfile.ts';
import type { Features } from './features.ts';
import { writtenNumber } from './writtenNumber.ts';

/**
 * A uniform sample of the records of a window, which shows the values that occur together.
 *
 * It keeps the 64 records whose ids have the lowest hashes (bottom-k: Cohen, Kaplan, "Summarizing
 * data using bottom-k sketches", PODC 2007). So samples merge in any order and grouping to the
 * sample of all their records, and the values of only about 64 ln(n / 64) of n records are read.
 */
export interface RecordSample {
  /** The names of the columns of `codes`, in the order in which they came. */
  names: string[];
  /** Records in the sample. */
  size: number;
  /** The mixed hash of each record's id, by row. */
  hashes: Uint32Array;
  /**
   * The value of `arrivals` when each row came. Of two records with the same hash, the first one
   * stays.
   */
  arrivedAs: Uint32Array;
  /** Records that were ever put into the sample. */
  arrivals: number;
  /**
   * The rows as a heap with the row that leaves first at its root; empty until the sample is full.
   */
  heap: Uint8Array;
  /** `codeOf` of each value, row by row. */
  codes: Int32Array;
  /** `codeOf` of the output of each row. */
  outputs: Int32Array;
  /** The number of columns that there is room for. */
  width: number;
  /** The columns of the record that was added last. The next record mostly has the same names. */
  picked: PickedFeatures;
}

/** Which values of a record with these names are sampled. */
interface PickedFeatures {
  names: readonly string[];
  /** Index of each value in the record. */
  indexes: number[];
  /** Column of each value in the sample. */
  columns: number[];
}

/** The records of one or more samples, as they are stored and read. */
export interface SampledRecords {
  /** In ascending order. */
  names: string[];
  /** In ascending order, equal ones in the order in which they came. */
  hashes: number[];
  /** One code per name for each record, one record after the other. */
  codes: number[];
  /** One code for each record; `missingCode` where none was stored. */
  outputs: number[];
}

/** Sampled records as columns of a ClickHouse row. */
export interface SampleRow {
  id_hashes: number[];
  features: string[];
  codes: number[];
  /** Empty in a row that was stored before outputs were sampled. */
  outputs: number[];
}

/** Returns the records of a stored row. O(records). */
export function fromSampleRow({ id_hashes, features, codes, outputs }: SampleRow): SampledRecords {
  const known = outputs.length === id_hashes.length ? outputs : id_hashes.map(() => missingCode);
  return { names: features, hashes: id_hashes, codes, outputs: known };
}

export const maxSampledRecords = 64;
/** A record with more features is sampled with the first ones in the order of names. */
const maxSampledFeatures = 12;
/** Names past this limit, in a window whose records name different features, are not sampled. */
const maxNames = 64;
/** Rows that a new sample has room for. */
const initialRows = 16;
/** Code of a value that is missing, not finite, or a vector. No number and no category has it. */
export const missingCode = -(2 ** 31);

const emptyHeap = new Uint8Array(0);

/** Returns a sample without records. */
export function emptyRecordSample(): RecordSample {
  return {
    names: [],
    size: 0,
    hashes: new Uint32Array(0),
    arrivedAs: new Uint32Array(0),
    arrivals: 0,
    heap: emptyHeap,
    codes: new Int32Array(0),
    outputs: new Int32Array(0),
    width: 0,
    picked: { names: [], indexes: [], columns: [] },
  };
}

/**
 * Takes one more record into account, in place. O(1) for a record that stays out of a full sample,
 * else O(features).
 *
 * @param idHash `fnv1a` of the record's id
 * @param output its score, or its prediction if it has no score
 */
export function addToSample(
  sample: RecordSample,
  idHash: number,
  features: Features,
  output: FeatureValue,
): void {
  const hash = mixedHash(idHash);
  if (sample.heap.length > 0 && hash >= sample.hashes[sample.heap[0]!]!) return;
  if (sample.picked.names !== features.names) sample.picked = pick(sample, features.names);
  const row = addHash(sample, hash);
  const { codes, width } = sample;
  const { indexes, columns } = sample.picked;
  sample.outputs[row] = codeOf(output);
  const start = row * width;
  for (let column = 0; column < width; column++) codes[start + column] = missingCode;
  for (let index = 0; index < indexes.length; index++)
    codes[start + columns[index]!] = codeOf(features.values[indexes[index]!]);
}

/**
 * Returns a value as a signed 32-bit integer. Numbers, also those written as text, keep their order
 * and 20 bits of their mantissa (`bucketKey`). Other categories get half of their hash; its order
 * means nothing, but is always the same. Codes of numbers and of categories overlap. O(1) for a
 * number, O(length) for a text.
 *
 * @example
 * [codeOf(1), codeOf('1.0'), codeOf('1,0'), codeOf(true) === codeOf('true')]
 * // [1072693248, 1072693248, 1072693248, true]
 */
export function codeOf(value: FeatureValue | Vector): number {
  if (typeof value === 'number') return Number.isFinite(value) ? bucketKey(value) : missingCode;
  if (value === null || value === undefined || typeof value === 'object') return missingCode;
  const number = typeof value === 'string' ? numberOf(value) : Number.NaN;
  return Number.isNaN(number) ? fnv1a(String(value)) >> 1 : bucketKey(number);
}

function numberOf(text: string): number {
  return hasDecimalComma(text) ? commaNumber(text) : writtenNumber(text);
}

function pick(sample: RecordSample, names: readonly string[]): PickedFeatures {
  const picked: PickedFeatures = { names, indexes: [], columns: [] };
  for (const index of firstNames(names)) {
    const column = columnOf(sample, names[index]!);
    if (column === null) continue;
    picked.indexes.push(index);
    picked.columns.push(column);
  }
  if (sample.names.length > sample.width) resize(sample, sample.hashes.length, sample.names.length);
  return picked;
}

/** Records share their array of names, so every window asks for the same arrays. */
const firstNamesOf = new WeakMap<readonly string[], number[]>();

/** Returns the indexes of the names that come first in ascending order. */
function firstNames(names: readonly string[]): number[] {
  let indexes = firstNamesOf.get(names);
  if (!indexes) {
    indexes = [...names.keys()].sort((left, right) => (names[left]! < names[right]! ? -1 : 1));
    indexes.length = Math.min(indexes.length, maxSampledFeatures);
    firstNamesOf.set(names, indexes);
  }
  return indexes;
}

function columnOf({ names }: RecordSample, name: string): number | null {
  const known = names.indexOf(name);
  if (known >= 0) return known;
  return names.length < maxNames ? names.push(name) - 1 : null;
}

/**
 * @returns the row of the new record: a further row, or in a full sample the row of the record with
 * the highest hash
 */
function addHash(sample: RecordSample, hash: number): number {
  const isFull = sample.heap.length > 0;
  if (!isFull && sample.size === sample.hashes.length)
    resize(sample, sample.size === 0 ? initialRows : maxSampledRecords, sample.width);
  const row = isFull ? sample.heap[0]! : sample.size++;
  sample.hashes[row] = hash;
  sample.arrivedAs[row] = sample.arrivals++;
  if (isFull) sink(sample, 0);
  else if (sample.size === maxSampledRecords) buildHeap(sample);
  return row;
}

function buildHeap(sample: RecordSample): void {
  sample.heap = Uint8Array.from({ length: maxSampledRecords }, (_, row) => row);
  for (let place = maxSampledRecords / 2 - 1; place >= 0; place--) sink(sample, place);
}

/** Moves the row at a place of the heap down, below all rows that leave before it. */
function sink({ heap, hashes, arrivedAs }: RecordSample, place: number): void {
  const row = heap[place]!;
  for (;;) {
    let child = 2 * place + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && leavesBefore(hashes, arrivedAs, heap[child + 1]!, heap[child]!))
      child++;
    if (!leavesBefore(hashes, arrivedAs, heap[child]!, row)) break;
    heap[place] = heap[child]!;
    place = child;
  }
  heap[place] = row;
}

function leavesBefore(
  hashes: Uint32Array,
  arrivedAs: Uint32Array,
  row: number,
  other: number,
): boolean {
  const hash = hashes[row]!;
  const otherHash = hashes[other]!;
  return hash > otherHash || (hash === otherHash && arrivedAs[row]! > arrivedAs[other]!);
}

function resize(sample: RecordSample, capacity: number, width: number): void {
  const hashes = new Uint32Array(capacity);
  hashes.set(sample.hashes);
  const arrivedAs = new Uint32Array(capacity);
  arrivedAs.set(sample.arrivedAs);
  const outputs = new Int32Array(capacity);
  outputs.set(sample.outputs);
  const codes = new Int32Array(capacity * width).fill(missingCode);
  for (let row = 0; row < sample.size; row++)
    codes.set(sample.codes.subarray(row * sample.width, (row + 1) * sample.width), row * width);
  Object.assign(sample, { hashes, arrivedAs, outputs, codes, width });
}

/**
 * Returns the records of a sample as they are stored. Nothing is lost: `recordSampleOf` gives back
 * a sample that goes on as this one would have. O(records log records).
 */
export function sampledRecords({
  names,
  size,
  hashes,
  arrivedAs,
  codes,
  outputs,
  width,
}: RecordSample): SampledRecords {
  const sorted = [...names].sort();
  const columns = sorted.map(name => names.indexOf(name));
  const rows = Array.from({ length: size }, (_, row) => row).sort((left, right) =>
    leavesBefore(hashes, arrivedAs, right, left) ? -1 : 1,
  );
  return {
    names: sorted,
    hashes: rows.map(row => hashes[row]!),
    codes: rows.flatMap(row => columns.map(column => codes[row * width + column]!)),
    outputs: rows.map(row => outputs[row]!),
  };
}

/** Returns the sample that `sampledRecords` was given. O(records). */
export function recordSampleOf({ names, hashes, codes, outputs }: SampledRecords): RecordSample {
  const sample = emptyRecordSample();
  sample.names = [...names];
  resize(sample, hashes.length, names.length);
  sample.size = hashes.length;
  sample.hashes.set(hashes);
  sample.arrivedAs.set([...hashes.keys()]);
  sample.arrivals = hashes.length;
  sample.codes.set(codes);
  sample.outputs.set(outputs);
  if (sample.size === maxSampledRecords) buildHeap(sample);
  return sample;
}

/**
 * Returns the sample of the records of any number of samples. Names without a value in any of the
 * sampled records are left out. O(records log records).
 */
export function mergeSampledRecords(...samples: readonly SampledRecords[]): SampledRecords {
  const records = samples.flatMap(({ names, hashes, codes, outputs }) =>
    hashes.map((hash, row) => {
      const values = new Map<string, number>();
      for (const [column, name] of names.entries()) {
        const code = codes[row * names.length + column]!;
        if (code !== missingCode) values.set(name, code);
      }
      return { hash, values, output: outputs[row]! };
    }),
  );
  records.sort((left, right) => left.hash - right.hash);
  const kept = records.slice(0, maxSampledRecords);
  const names = [...new Set(kept.flatMap(({ values }) => [...values.keys()]))].sort();
  return {
    names,
    hashes: kept.map(({ hash }) => hash),
    codes: kept.flatMap(({ values }) => names.map(name => values.get(name) ?? missingCode)),
    outputs: kept.map(({ output }) => output),
  };
}

const overheadBytes = 500;
const nameBytes = 24;

/** Returns about how many bytes of memory a sample takes. */
export function recordSampleBytes({
  names,
  hashes,
  arrivedAs,
  codes,
  outputs,
}: RecordSample): number {
  const arrays = hashes.byteLength + arrivedAs.byteLength + codes.byteLength + outputs.byteLength;
  return overheadBytes + names.length * nameBytes + arrays;
}

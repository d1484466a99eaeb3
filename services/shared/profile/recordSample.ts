import { bucketKey } from './bucketKey.ts';
import { fnv1a } from './categoryHash.ts';
import type { FeatureValue } from './featureProfile.ts';
import type { Features } from './features.ts';

/**
 * A uniform sample of the records of a window, to see which values come together. It keeps the records whose ids have the lowest hashes
 * (bottom-k: Cohen, Kaplan, "Summarizing data using bottom-k sketches", PODC 2007), so that samples merge in any order and grouping to
 * the sample of all their records, and a value of a record is looked at in few records only: of n about 64 ln(n / 64).
 */
export interface RecordSample {
  /** Features, in the order in which they came: columns of `codes`. */
  names: string[];
  /** Records in the sample. */
  size: number;
  /** Of their ids, by row. */
  hashes: Uint32Array;
  /** When each row came, counted in `arrivals`: of two records with the same hash the first stays. */
  arrivedAs: Uint32Array;
  arrivals: number;
  /** Rows as a heap, the one to leave first at its root; built when the sample is full. */
  heap: Uint8Array;
  /** `codeOf` each value, row by row. */
  codes: Int32Array;
  /** `codeOf` the output of each row. */
  outputs: Int32Array;
  /** Columns that there is room for. */
  width: number;
  /** Of the record that was added last: the next one mostly names the same. */
  picked: PickedFeatures;
}

interface PickedFeatures {
  names: readonly string[];
  /** Where the values are, and where their codes go. */
  indexes: number[];
  columns: number[];
}

/** The records of one or more samples, as they are stored and read. */
export interface SampledRecords {
  /** Ascending. */
  names: string[];
  /** Ascending; equal ones in the order in which they came. */
  hashes: number[];
  /** For each record one per name. */
  codes: number[];
  /** One for each record; `missingCode` where none was kept. */
  outputs: number[];
}

/** Sampled records as columns of a ClickHouse row. */
export interface SampleRow {
  id_hashes: number[];
  features: string[];
  codes: number[];
  /** Empty in a row from before outputs were sampled. */
  outputs: number[];
}

export function fromSampleRow({ id_hashes, features, codes, outputs }: SampleRow): SampledRecords {
  const known = outputs.length === id_hashes.length ? outputs : id_hashes.map(() => missingCode);
  return { names: features, hashes: id_hashes, codes, outputs: known };
}

export const mostSampledRecords = 64;
/** Of a record with more the first in the order of their names. */
export const mostSampledFeatures = 12;
/** Of a window whose records name different features; what comes then is not sampled. */
const mostNames = 64;
/** Room that a sample begins with. */
const firstRows = 16;
/** Code of a value that is missing or not finite: no number and no category has it. */
export const missingCode = -(2 ** 31);

const emptyHeap = new Uint8Array(0);

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
 * Takes one more record into account, in place.
 * @param idHash `fnv1a` of its id
 * @param output its score, or of a record without one its prediction
 */
export function addToSample(
  sample: RecordSample,
  idHash: number,
  features: Features,
  output: FeatureValue,
): void {
  const hash = mixed(idHash);
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

/** The high bits of FNV-1a hardly tell similar ids apart, so it is mixed: MurmurHash3's finalizer (Appleby). */
function mixed(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}

/**
 * A value as a 32-bit integer. Numbers keep their order and 20 bits of their mantissa; categories are in the order of their hashes,
 * which means nothing, but is always the same.
 */
export function codeOf(value: FeatureValue): number {
  if (typeof value === 'number') return Number.isFinite(value) ? bucketKey(value) : missingCode;
  if (value === null || value === undefined) return missingCode;
  return fnv1a(String(value)) >> 1;
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

/** Records share their names: every window asks for the same again. */
const firstNamesOf = new WeakMap<readonly string[], number[]>();

/** Where the first names in their order are. */
function firstNames(names: readonly string[]): number[] {
  let indexes = firstNamesOf.get(names);
  if (!indexes) {
    indexes = [...names.keys()].sort((left, right) => (names[left]! < names[right]! ? -1 : 1));
    indexes.length = Math.min(indexes.length, mostSampledFeatures);
    firstNamesOf.set(names, indexes);
  }
  return indexes;
}

function columnOf({ names }: RecordSample, name: string): number | null {
  const known = names.indexOf(name);
  if (known >= 0) return known;
  return names.length < mostNames ? names.push(name) - 1 : null;
}

/** @returns the row of the record: a new one, or of a full sample that of the record with the highest hash */
function addHash(sample: RecordSample, hash: number): number {
  const isFull = sample.heap.length > 0;
  if (!isFull && sample.size === sample.hashes.length)
    resize(sample, sample.size === 0 ? firstRows : mostSampledRecords, sample.width);
  const row = isFull ? sample.heap[0]! : sample.size++;
  sample.hashes[row] = hash;
  sample.arrivedAs[row] = sample.arrivals++;
  if (isFull) sink(sample, 0);
  else if (sample.size === mostSampledRecords) buildHeap(sample);
  return row;
}

function buildHeap(sample: RecordSample): void {
  sample.heap = Uint8Array.from({ length: mostSampledRecords }, (_, row) => row);
  for (let place = mostSampledRecords / 2 - 1; place >= 0; place--) sink(sample, place);
}

/** Puts the row at a place of the heap behind all that leave before it. */
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

/** What is stored of a sample: all of it, so that it goes on as it would have. */
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

/** The very sample that `sampledRecords` was given. */
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
  if (sample.size === mostSampledRecords) buildHeap(sample);
  return sample;
}

/** The sample of all records of any number of samples; names that none of it has a value for are left out. */
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
  const kept = records.slice(0, mostSampledRecords);
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

/** What a sample takes in memory, about. */
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

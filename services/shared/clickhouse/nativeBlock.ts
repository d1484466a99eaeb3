/*
 * Rows for an INSERT in ClickHouse's format Native
 * (https://clickhouse.com/docs/interfaces/formats/Native): column by column, as ClickHouse itself
 * holds them. ClickHouse has nothing to parse and spends a sixth of what it spends on RowBinary,
 * and names of features are sent once per block instead of with every row. NaN and infinities stay
 * as they are.
 */

/** A column of a block, or a part of a column. Values are appended one by one. */
export interface NativeColumn {
  /** Name of the type in ClickHouse. */
  type: string;
  /** Returns roughly how many bytes it holds. */
  bytes(): number;
  /** Returns what stands before the values of all parts of the column. */
  prefix(): Uint8Array[];
  /** Returns views of the values without a copy. They are valid until the next change. */
  values(): Uint8Array[];
  clear(): void;
  /** Returns whether all rows are empty lists or maps, as they also are in a block without it. */
  isEmpty?(): boolean;
}

/** A column of values of one kind. */
export interface ScalarColumn<T> extends NativeColumn {
  add(value: T): void;
}

export interface NativeBlock<
  Columns extends Record<string, NativeColumn> = Record<string, NativeColumn>,
> {
  columns: Columns;
  /** Number of rows. A caller that has appended one value to each column counts it up. */
  rows: number;
}

export function nativeBlock<Columns extends Record<string, NativeColumn>>(
  columns: Columns,
): NativeBlock<Columns> {
  return { columns, rows: 0 };
}

export function blockBytes({ columns }: NativeBlock): number {
  let bytes = 0;
  for (const name in columns) bytes += columns[name]!.bytes();
  return bytes;
}

export function clearBlock(block: NativeBlock): void {
  for (const column of Object.values(block.columns)) column.clear();
  block.rows = 0;
}

/** Returns the names of the columns that have to be sent, in their order. */
export function sentColumns({ columns }: NativeBlock): string[] {
  return Object.keys(columns).filter(name => !columns[name]!.isEmpty?.());
}

/**
 * Returns the columns that have to be sent in format Native without a copy. They must be sent before
 * the next change.
 */
export function nativeBytes(block: NativeBlock): Uint8Array[] {
  const { columns, rows } = block;
  const named = sentColumns(block).map(name => [name, columns[name]!] as const);
  const header = byteArray(headBytes);
  addVarint(header, named.length);
  addVarint(header, rows);
  return [
    ...written(header),
    ...named.flatMap(([name, column]) => {
      const head = byteArray(headBytes);
      addText(head, name);
      addText(head, column.type);
      return [...written(head), ...column.prefix(), ...column.values()];
    }),
  ];
}

/** A column of type String. Half of a surrogate pair becomes U+FFFD. */
export function textColumn(): ScalarColumn<string> {
  const texts = byteArray();
  return {
    type: 'String',
    add: value => addText(texts, value),
    bytes: () => texts.fullBytes + texts.length,
    prefix: () => [],
    values: () => written(texts),
    clear: () => emptyBytes(texts),
  };
}

export function float64Column(): ScalarColumn<number> {
  return fixedColumn('Float64', Float64Array);
}

export function int32Column(): ScalarColumn<number> {
  return fixedColumn('Int32', Int32Array);
}

export function uint32Column(): ScalarColumn<number> {
  return fixedColumn('UInt32', Uint32Array);
}

/** @param type a type of one byte, such as UInt8, Int8 or an Enum8 */
export function byteColumn(type: string): ScalarColumn<number> {
  return fixedColumn(type, Uint8Array);
}

/**
 * A column of whole numbers of at most 53 bits, negative ones as two's complement.
 * @param type a type of eight bytes, such as UInt64, Int64, or DateTime64(3, 'UTC') in milliseconds
 */
export function int64Column(type: string): ScalarColumn<number> {
  const halves = fixedColumn(type, Int32Array);
  return {
    ...halves,
    add(value) {
      const high = Math.floor(value / 2 ** 32);
      halves.add(value - high * 2 ** 32);
      halves.add(high);
    },
  };
}

export function nullableFloat64Column(): ScalarColumn<number | null> {
  const nulls = byteColumn('UInt8');
  const numbers = float64Column();
  return {
    type: 'Nullable(Float64)',
    add(value) {
      nulls.add(value === null ? 1 : 0);
      numbers.add(value ?? 0);
    },
    ...joined([nulls, numbers]),
  };
}

/**
 * A column of type LowCardinality(String). It holds each text once, and for each value the index of
 * its text.
 */
export function dictionaryColumn(): ScalarColumn<string> {
  let texts: string[] = [];
  const indexes = new Map<string, number>();
  const chosen = fixedColumn('UInt32', Uint32Array);
  const dictionary = textColumn();
  let last = -1;

  function indexOf(text: string): number {
    let index = indexes.get(text);
    if (index === undefined) {
      index = texts.push(text) - 1;
      indexes.set(text, index);
      dictionary.add(text);
    }
    return index;
  }

  return {
    type: 'LowCardinality(String)',
    add(value) {
      // Most records name features in the same order, and the model of a record is mostly that of
      // the record before.
      const next = last + 1 < texts.length ? last + 1 : 0;
      last = texts[next] === value ? next : indexOf(value);
      chosen.add(last);
    },
    bytes: () => chosen.bytes() + dictionary.bytes(),
    prefix: () => [uint64(sharedDictionaries)],
    values() {
      const count = chosen.bytes() / 4;
      if (count === 0) return [];
      const keys = [
        uint64(hasKeys | indexesOfFourBytes),
        uint64(texts.length),
        ...dictionary.values(),
      ];
      return [...keys, uint64(count), ...chosen.values()];
    },
    clear() {
      texts = [];
      indexes.clear();
      chosen.clear();
      dictionary.clear();
      last = -1;
    },
  };
}

/** Version of the serialization of dictionaries. */
const sharedDictionaries = 1;
/** The block contains the keys of the dictionary (HasAdditionalKeys and NeedUpdateDictionary). */
const hasKeys = 0x600;
const indexesOfFourBytes = 2;

/** A column of type Array(T). Add the values of a row to `items`, then `end` the row. */
export function arrayColumn<T>(items: ScalarColumn<T>) {
  return nestedColumn(`Array(${items.type})`, { items });
}

/** Adds a row that holds these values. */
export function addArray<T>(
  column: { items: ScalarColumn<T>; end(length: number): void },
  values: readonly T[],
): void {
  for (const value of values) column.items.add(value);
  column.end(values.length);
}

/**
 * A column of type Map(LowCardinality(String), T). Add the entries of a row to `keys` and `items`,
 * then `end` the row.
 */
export function mapColumn<T>(items: ScalarColumn<T>) {
  return nestedColumn(`Map(LowCardinality(String), ${items.type})`, {
    keys: dictionaryColumn(),
    items,
  });
}

/** A column with any number of values in each row. */
function nestedColumn<Parts extends Record<string, NativeColumn>>(type: string, parts: Parts) {
  const ends = int64Column('UInt64');
  let end = 0;
  /** Rows before the first one that has values. Most columns of optional fields have no others. */
  let emptyRows = 0;
  const all = joined([ends, ...Object.values(parts)]);
  return {
    ...parts,
    type,
    ...all,
    /** @param length number of values that were added to each part for this row */
    end(length: number): void {
      if (end + length === 0) {
        emptyRows++;
        return;
      }
      for (; emptyRows > 0; emptyRows--) ends.add(0);
      end += length;
      ends.add(end);
    },
    clear(): void {
      all.clear();
      end = 0;
      emptyRows = 0;
    },
    isEmpty: () => end === 0,
  };
}

function joined(parts: readonly NativeColumn[]): Omit<NativeColumn, 'type'> {
  return {
    bytes: () => parts.reduce((total, part) => total + part.bytes(), 0),
    prefix: () => parts.flatMap(part => part.prefix()),
    values: () => parts.flatMap(part => part.values()),
    clear: () => {
      for (const part of parts) part.clear();
    },
  };
}

type FixedArray =
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/**
 * Columns grow by pieces of this size, so that nothing is copied and memory grows with the content.
 */
const pieceBytes = 64 * 1024;

/** A column of values of one width, little-endian like every platform of Node. */
function fixedColumn(
  type: string,
  kind: { new (length: number): FixedArray; BYTES_PER_ELEMENT: number },
): ScalarColumn<number> {
  const width = kind.BYTES_PER_ELEMENT;
  let full: Uint8Array[] = [];
  let piece = new kind(pieceBytes / width);
  let length = 0;
  return {
    type,
    add(value) {
      if (length === piece.length) {
        full.push(new Uint8Array(piece.buffer));
        piece = new kind(pieceBytes / width);
        length = 0;
      }
      piece[length++] = value;
    },
    bytes: () => full.length * pieceBytes + length * width,
    prefix: () => [],
    values: () => [...full, new Uint8Array(piece.buffer, 0, length * width)],
    clear() {
      full = [];
      length = 0;
    },
  };
}

interface ByteArray {
  full: Uint8Array[];
  fullBytes: number;
  piece: Buffer;
  /** Bytes of the piece that are in use. */
  length: number;
}

/** Up to this length a loop over the characters is faster than a call of the native encoder. */
const shortTextCharacters = 48;
const maxUtf8BytesPerCharacter = 3;
const maxVarintBytes = 5;

/** Size that is enough for the name and the type of a column. */
const headBytes = 256;

function byteArray(firstBytes = pieceBytes): ByteArray {
  return { full: [], fullBytes: 0, piece: Buffer.allocUnsafe(firstBytes), length: 0 };
}

function written({ full, piece, length }: ByteArray): Uint8Array[] {
  return [...full, piece.subarray(0, length)];
}

function emptyBytes(array: ByteArray): void {
  array.full = [];
  array.fullBytes = 0;
  array.length = 0;
}

/** Makes sure that the current piece has room for this many bytes in a row. */
function reserve(array: ByteArray, bytes: number): void {
  if (array.length + bytes <= array.piece.length) return;
  array.full.push(array.piece.subarray(0, array.length));
  array.fullBytes += array.length;
  array.piece = Buffer.allocUnsafe(Math.max(pieceBytes, bytes));
  array.length = 0;
}

/** Adds a length in base 128, the lowest seven bits first. */
function addVarint(array: ByteArray, value: number): void {
  reserve(array, maxVarintBytes);
  let rest = value;
  while (rest >= 0x80) {
    array.piece[array.length++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  array.piece[array.length++] = rest;
}

function addText(array: ByteArray, text: string): void {
  if (text.length <= shortTextCharacters && addShortAscii(array, text)) return;
  addVarint(array, Buffer.byteLength(text));
  reserve(array, text.length * maxUtf8BytesPerCharacter);
  array.length += array.piece.write(text, array.length, 'utf8');
}

function addShortAscii(array: ByteArray, text: string): boolean {
  const { length } = text;
  reserve(array, length + 1);
  const { piece } = array;
  const start = array.length;
  piece[start] = length;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) return false;
    piece[start + 1 + index] = code;
  }
  array.length = start + 1 + length;
  return true;
}

function uint64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What avsc reads from; it does not export the type. */
export interface AvroTap {
  buf: Buffer;
  /** Past the end once more was read than there is, and NaN behind a length that is none. */
  pos: number;
  readLong(): number;
  readString(): string;
  skipString(): void;
}

export interface AvroReadable {
  _read(tap: AvroTap): unknown;
  _skip(tap: AvroTap): void;
}

/** avsc looks at the end of the bytes only when all is read, and damaged bytes may promise billions of entries. */
export function checkWithinBytes(tap: AvroTap): void {
  if (!(tap.pos <= tap.buf.length)) throw new Error('truncated buffer');
}

/** Entries of the next block, 0 at the end; a negative number is followed by the bytes of the block (Avro specification, Arrays and Maps). */
export function readBlockSize(tap: AvroTap): number {
  const size = tap.readLong();
  if (size < 0) tap.readLong();
  checkWithinBytes(tap);
  return Math.abs(size);
}

/** Passes over the blocks of a field that the contract does not have. */
export function skipBlocks(tap: AvroTap, skipEntry: (tap: AvroTap) => void): void {
  for (;;) {
    const size = tap.readLong();
    checkWithinBytes(tap);
    if (size === 0) return;
    if (size < 0) {
      const bytes = tap.readLong();
      if (!(bytes >= 0)) throw new Error('a block of negative size');
      tap.pos += bytes;
    }
    for (let entry = 0; entry < size; entry++) {
      const start = tap.pos;
      skipEntry(tap);
      checkWithinBytes(tap);
      // Entries without bytes, such as null: so are all others.
      if (tap.pos === start) break;
    }
  }
}

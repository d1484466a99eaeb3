/** The tap that avsc reads bytes from; avsc does not export its type. */
export interface AvroTap {
  buf: Buffer;
  /**
   * Beyond the end when more was read than there is, and NaN after a length that is not a number.
   */
  pos: number;
  readLong(): number;
  readString(): string;
  skipString(): void;
}

export interface AvroReadable {
  _read(tap: AvroTap): unknown;
  _skip(tap: AvroTap): void;
}

/**
 * Throws when more was read than there is. avsc itself checks that only when everything is read,
 * and damaged bytes may promise billions of entries.
 */
export function checkWithinBytes(tap: AvroTap): void {
  if (!(tap.pos <= tap.buf.length)) throw new Error('truncated buffer');
}

/**
 * Reads the number of entries of the next block, 0 at the end. A negative number is followed by the
 * size of the block in bytes (Avro specification, Arrays and Maps).
 */
export function readBlockSize(tap: AvroTap): number {
  const size = tap.readLong();
  if (size < 0) tap.readLong();
  checkWithinBytes(tap);
  return Math.abs(size);
}

/** Skips the blocks of a field that the contract does not have. */
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
      // An entry without bytes, such as null: all others are like it.
      if (tap.pos === start) break;
    }
  }
}

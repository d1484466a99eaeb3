import avro from 'avsc';
import {
  type AvroReadable,
  type AvroTap,
  checkWithinBytes,
  readBlockSize,
  skipBlocks,
} from './avroTap.ts';

/** An array that ends where the bytes end. avsc reserves memory for, and counts up to, whatever number damaged bytes promise. */
export class BoundedArrayType extends avro.types.ArrayType {
  // Called for the type itself and for its resolvers, which have `itemsType` as well.
  _read(this: { itemsType: AvroReadable }, tap: AvroTap): unknown[] {
    const items: unknown[] = [];
    for (let size = readBlockSize(tap); size > 0; size = readBlockSize(tap)) {
      for (let item = 0; item < size; item++) {
        items.push(this.itemsType._read(tap));
        checkWithinBytes(tap);
      }
    }
    return items;
  }

  _skip(this: { itemsType: AvroReadable }, tap: AvroTap): void {
    skipBlocks(tap, () => this.itemsType._skip(tap));
  }
}

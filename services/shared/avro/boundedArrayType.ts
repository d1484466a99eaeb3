import avro from 'avsc';
import {
  type AvroReadable,
  type AvroTap,
  checkWithinBytes,
  readBlockSize,
  skipBlocks,
} from './avroTap.ts';

/**
 * An array whose reading fails where the bytes end. avsc would reserve memory for, and count up to,
 * whatever number damaged bytes promise.
 */
export class BoundedArrayType extends avro.types.ArrayType {
  // avsc calls it on the type itself and on its resolvers, which have `itemsType` as well.
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

import avro from 'avsc';
import { type AvroReadable, type AvroTap, skipBlocks } from './avroTap.ts';
import { type NamedValues, readNamedValues } from './namedValues.ts';

/**
 * A map that shares its names with the maps read before it. It is read as the object that avsc
 * would make.
 */
export class InternedMapType extends avro.types.MapType {
  // avsc calls it on the type itself and on its resolvers, which have `valuesType` as well.
  _read(this: { valuesType: AvroReadable }, tap: AvroTap): unknown {
    const { names, values } = readNamedValues(tap, this.valuesType);
    const map: Record<string, unknown> = {};
    for (const [index, name] of names.entries()) {
      if (name === '__proto__') addAsOwn(map, name, values[index]);
      else map[name] = values[index];
    }
    return map;
  }

  _skip(this: { valuesType: AvroReadable }, tap: AvroTap): void {
    skipBlocks(tap, () => {
      tap.skipString();
      this.valuesType._skip(tap);
    });
  }
}

/**
 * A map of features. It is read as names and values, and written from an object like every other
 * map.
 */
export class FeaturesType extends InternedMapType {
  override _read(this: { valuesType: AvroReadable }, tap: AvroTap): NamedValues {
    return readNamedValues(tap, this.valuesType);
  }
}

/** Adds a key that may be called `__proto__`, which an assignment would lose. */
function addAsOwn(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

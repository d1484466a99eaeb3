import avro from 'avsc';
import { type AvroReadable, type AvroTap, skipBlocks } from './avroTap.ts';
import { type NamedValues, readNamedValues } from './namedValues.ts';

/** A map of which the names are known from the maps before it. Read as the object that avsc would make. */
export class InternedMapType extends avro.types.MapType {
  // Called for the type itself and for its resolvers, which have `valuesType` as well.
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

/** A map of features: read as names and values, written from an object as every other map. */
export class FeaturesType extends InternedMapType {
  override _read(this: { valuesType: AvroReadable }, tap: AvroTap): NamedValues {
    return readNamedValues(tap, this.valuesType);
  }
}

/** Something may be called `__proto__`: to assign it would lose it. */
function addAsOwn(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

import type avro from 'avsc';
import { BoundedArrayType } from './boundedArrayType.ts';
import { Int32Type } from './int32Type.ts';
import { FeaturesType, InternedMapType } from './mapTypes.ts';

/** A hook of avsc's `Type.forSchema`: maps, arrays and ints of our own, for the contracts and for the schemas of those who write. */
export function avroTypeHook(
  schema: avro.Schema | string,
  options: avro.ForSchemaOptions,
): avro.Type | undefined {
  if (schema === 'int') return new Int32Type() as unknown as avro.Type;
  const { type, values } = schema as { type?: unknown; values?: unknown };
  if (type === 'map') {
    // Features are the maps with values of several types.
    const MapType = Array.isArray(values) ? FeaturesType : InternedMapType;
    return new MapType(schema as never, options) as unknown as avro.Type;
  }
  if (type === 'array')
    return new BoundedArrayType(schema as never, options) as unknown as avro.Type;
  return undefined;
}

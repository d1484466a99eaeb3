import type avro from 'avsc';
import { BoundedArrayType } from './boundedArrayType.ts';
import { Int32Type } from './int32Type.ts';
import { FeaturesType, InternedMapType } from './mapTypes.ts';

/**
 * A hook for avsc's `Type.forSchema`. It replaces maps, arrays and ints by types of our own, in the
 * contracts and in the schemas of producers alike.
 */
export function avroTypeHook(
  schema: avro.Schema | string,
  options: avro.ForSchemaOptions,
): avro.Type | undefined {
  if (schema === 'int') return new Int32Type() as unknown as avro.Type;
  const { type, values } = schema as { type?: unknown; values?: unknown };
  if (type === 'map') {
    // Only features are maps with values of several types.
    const MapType = Array.isArray(values) ? FeaturesType : InternedMapType;
    return new MapType(schema as never, options) as unknown as avro.Type;
  }
  if (type === 'array')
    return new BoundedArrayType(schema as never, options) as unknown as avro.Type;
  return undefined;
}

import type avro from 'avsc';
import { BoundedArrayType } from './boundedArrayType.ts';
import { Int32Type } from './int32Type.ts';
import { InternedMapType } from './internedMapType.ts';

/** A hook of avsc's `Type.forSchema`: maps, arrays and ints of our own, for the contracts and for the schemas of those who write. */
export function avroTypeHook(schema: avro.Schema | string, options: avro.ForSchemaOptions): avro.Type | undefined {
  if (schema === 'int') return new Int32Type() as unknown as avro.Type;
  const { type } = schema as { type?: unknown };
  if (type === 'map') return new InternedMapType(schema as never, options) as unknown as avro.Type;
  if (type === 'array') return new BoundedArrayType(schema as never, options) as unknown as avro.Type;
  return undefined;
}

import type avro from 'avsc';
import fc from 'fast-check';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import { type Features, recordOf } from '../../../services/shared/profile/features.ts';

/**
 * Names that objects inherit, names that the services use themselves, and names that are hard to
 * encode.
 */
const awkwardNames = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  '(other)',
  '',
  '\0',
  'é€😀',
];

/** Generates text that UTF-8 can encode. */
export const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }).map(value => value.toWellFormed()),
  },
  { weight: 2, arbitrary: fc.constantFrom(...awkwardNames) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 49, maxLength: 300 }) },
);

/** Generates objects as JSON.parse makes them. Every key is the object's own, for any name. */
export function mapOf<T>(values: fc.Arbitrary<T>, maxKeys = 6): fc.Arbitrary<Record<string, T>> {
  return fc
    .array(fc.tuple(text, values), { maxLength: maxKeys })
    .map(entries => Object.fromEntries(entries));
}

/** Generates values of a contract from its Avro type. */
export function contractArbitrary<T>(contract: string): fc.Arbitrary<T> {
  return arbitraryOf(contractType(contract)) as fc.Arbitrary<T>;
}

function arbitraryOf(type: avro.Type): fc.Arbitrary<unknown> {
  const { typeName } = type;
  if (typeName.startsWith('union:')) {
    return fc.oneof(...(type as avro.types.UnwrappedUnionType).types.map(arbitraryOf));
  }
  if (typeName === 'record') {
    const { fields } = type as avro.types.RecordType;
    return fc.record(
      Object.fromEntries(fields.map(field => [field.name, arbitraryOf(field.type)])),
    );
  }
  if (typeName === 'map') return mapOf(arbitraryOf((type as avro.types.MapType).valuesType));
  if (typeName === 'array')
    return fc.array(arbitraryOf((type as avro.types.ArrayType).itemsType), { maxLength: 6 });
  if (typeName === 'enum') return fc.constantFrom(...(type as avro.types.EnumType).symbols);
  const primitives: Record<string, fc.Arbitrary<unknown>> = {
    null: fc.constant(null),
    boolean: fc.boolean(),
    int: fc.integer(),
    // Beyond these bounds avsc writes some whole numbers as others.
    long: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    double: fc.double(),
    string: text,
  };
  const primitive = primitives[typeName];
  if (!primitive) throw new Error(`no values for the Avro type ${typeName}`);
  return primitive;
}

/** Returns a decoded value as a producer would write it, with its features as an object. */
export function asWritten(decoded: unknown): Record<string, unknown> {
  const { features, ...others } = decoded as Record<string, unknown> & { features?: Features };
  if (features === undefined) return others;
  return { ...others, features: recordOf(features) };
}

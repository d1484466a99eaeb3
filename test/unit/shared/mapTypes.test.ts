import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AvroReadable,
  type AvroTap,
  checkWithinBytes,
} from '../../../services/shared/avro/avroTap.ts';
import { avroTypeHook } from '../../../services/shared/avro/avroTypeHook.ts';
import type { Prediction } from '../../../services/shared/contracts.ts';
import { type Features, featuresOf } from '../../../services/shared/profile/features.ts';

const schema: avro.Schema = {
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'values', type: { type: 'map', values: ['null', 'double', 'string'] } },
    { name: 'texts', type: { type: 'map', values: 'string' } },
    { name: 'after', type: 'string' },
  ],
};
const plain = avro.Type.forSchema(schema);
const ours = avro.Type.forSchema(schema, { typeHook: avroTypeHook });
const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }).map(text => text.toWellFormed()),
  fc.constantFrom('a', 'b', 'amount', 'x'.repeat(64), 'x'.repeat(65)),
);
const row = fc.record({
  values: fc.dictionary(
    key.filter(name => name !== '__proto__'),
    fc.oneof(fc.constant(null), fc.double({ noNaN: true }), fc.string({ unit: 'grapheme' })),
  ),
  texts: fc.dictionary(
    key.filter(name => name !== '__proto__'),
    fc.string({ unit: 'grapheme' }),
  ),
  after: fc.string({ unit: 'grapheme' }),
});

interface Row {
  values: Prediction['features'];
}

/** Returns the row with its features as avsc reads them. */
function plainly(row: Row & { values: unknown }): unknown {
  const { names, values } = row.values as unknown as Features;
  return { ...row, values: Object.fromEntries(names.map((name, index) => [name, values[index]])) };
}

function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch {
    return 'error';
  }
}

const outcomeOfOurs = (bytes: Buffer) =>
  outcome(() => plainly(ours.fromBuffer(bytes, ours.createResolver(plain) as never)));

/**
 * The map type of avsc, except that it stops at the end of the bytes. Damaged bytes may promise
 * billions of entries, which avsc would count.
 */
class EndingMapType extends avro.types.MapType {
  _read(tap: AvroTap): unknown {
    const { readString } = tap;
    tap.readString = () => {
      checkWithinBytes(tap);
      return readString.call(tap);
    };
    return (avro.types.MapType.prototype as unknown as AvroReadable)._read.call(this, tap);
  }
}

const ending = avro.Type.forSchema(schema, {
  typeHook: (attributes, options) =>
    typeof attributes === 'object' && 'type' in attributes && attributes.type === 'map'
      ? new EndingMapType(attributes, options)
      : undefined,
});

const outcomeOfPlain = (bytes: Buffer) => outcome(() => ending.fromBuffer(bytes));

describe('map types', () => {
  it('read the same as the maps of avsc, after any earlier reads', () => {
    fc.assert(
      fc.property(row, value => {
        expect(plainly(ours.fromBuffer(plain.toBuffer(value)))).toEqual(
          plain.fromBuffer(plain.toBuffer(value)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('reject the same damaged bytes as the maps of avsc', () => {
    fc.assert(
      fc.property(row, fc.nat(), fc.nat(255), fc.boolean(), (value, place, byte, cut) => {
        const bytes = plain.toBuffer(value);
        const at = place % bytes.length;
        const damaged = cut ? bytes.subarray(0, at) : Buffer.from(bytes);
        if (!cut) damaged[at] = byte;
        expect(outcomeOfOurs(damaged)).toEqual(outcomeOfPlain(damaged));
      }),
      { numRuns: 500 },
    );
  });

  it('stop at the end of the bytes, even if these promise more entries', () => {
    const promise = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(outcomeOfOurs(promise)).toBe('error');
    expect(outcomeOfPlain(promise)).toBe('error');
  });

  it('read blocks that state their length in bytes, as other languages write them', () => {
    const entry = Buffer.concat([Buffer.from([2]), Buffer.from('k'), Buffer.from([0])]);
    const block = Buffer.concat([
      Buffer.from([1, entry.length * 2]),
      entry,
      Buffer.from([0, 0, 0]),
    ]);
    expect(ours.fromBuffer(block)).toEqual({
      values: { names: ['k'], values: [null] },
      texts: {},
      after: '',
    });
  });

  it('share names between maps with the same names in the same order, even if others come in between', () => {
    const read = (values: Prediction['features']) =>
      (ours.fromBuffer(plain.toBuffer({ values, texts: {}, after: '' })) as { values: Features })
        .values;
    const first = read({ a: 1, b: 2 });
    const others: Prediction['features'][] = [{ b: 2, a: 1 }, { a: 1 }, {}];
    for (const other of others) read(other);
    const again = read({ a: 'x', b: null });
    expect(again).toEqual(featuresOf({ a: 'x', b: null }));
    expect(again.names).toBe(first.names);
  });

  it('take the last value of a name that comes twice, as avsc does', () => {
    const entry = (value: string) =>
      Buffer.concat([Buffer.from([2]), Buffer.from('k'), Buffer.from([4, 2]), Buffer.from(value)]);
    const bytes = Buffer.concat([Buffer.from([4]), entry('1'), entry('2'), Buffer.from([0, 0, 0])]);
    for (let times = 0; times < 2; times++)
      expect(plainly(ours.fromBuffer(bytes))).toEqual(plain.fromBuffer(bytes));
  });
});

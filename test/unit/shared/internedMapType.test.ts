import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroTypeHook } from '../../../services/shared/avroTypeHook.ts';

const schema: avro.Schema = {
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'values', type: { type: 'map', values: ['null', 'double', 'string'] } },
    { name: 'after', type: 'string' },
  ],
};
const plain = avro.Type.forSchema(schema);
const interned = avro.Type.forSchema(schema, { typeHook: avroTypeHook });
const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }).map(text => text.toWellFormed()),
  fc.constantFrom('a', 'b', 'amount', 'x'.repeat(64), 'x'.repeat(65)),
);
const row = fc.record({
  values: fc.dictionary(
    key.filter(name => name !== '__proto__'),
    fc.oneof(fc.constant(null), fc.double({ noNaN: true }), fc.string({ unit: 'grapheme' })),
  ),
  after: fc.string({ unit: 'grapheme' }),
});

function outcome(type: avro.Type, bytes: Buffer): unknown {
  try {
    return { value: type.fromBuffer(bytes, type.createResolver(plain) as never) };
  } catch {
    return 'error';
  }
}

describe('maps with interned keys', () => {
  it('reads what plain maps read, whatever was read before', () => {
    fc.assert(
      fc.property(row, value => {
        expect(interned.fromBuffer(plain.toBuffer(value))).toEqual(plain.fromBuffer(plain.toBuffer(value)));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses the same damaged bytes', () => {
    fc.assert(
      fc.property(row, fc.nat(), fc.nat(255), fc.boolean(), (value, place, byte, cut) => {
        const bytes = plain.toBuffer(value);
        const at = place % bytes.length;
        const damaged = cut ? bytes.subarray(0, at) : Buffer.from(bytes);
        if (!cut) damaged[at] = byte;
        expect(outcome(interned, damaged)).toEqual(outcome(plain, damaged));
      }),
      { numRuns: 500 },
    );
  });

  it('gives up at the end of the bytes, however many entries they promise', () => {
    const promise = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(outcome(interned, promise)).toBe('error');
  });

  it('reads blocks that state their length in bytes, as other languages write them', () => {
    const entry = Buffer.concat([Buffer.from([2]), Buffer.from('k'), Buffer.from([0])]);
    const block = Buffer.concat([Buffer.from([1, entry.length * 2]), entry, Buffer.from([0, 0])]);
    expect(interned.fromBuffer(block)).toEqual({ values: { k: null }, after: '' });
  });
});

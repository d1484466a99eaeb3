import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseJson, parseJsonKeepingDigits } from '../../../services/shared/records/parseJson.ts';

const tag = '\ufeff';

/** Writes a value as Python's json.dumps does. */
function written(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, part]) => `${JSON.stringify(key)}: ${written(part)}`,
  );
  return `{${entries.join(', ')}}`;
}

const text = fc.oneof(
  fc.string(),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '"NaN"', '\\"NaN', 'a\\', '\\\\"Infinity'),
);
const { tree } = fc.letrec(tie => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.double().map(value => (Object.is(value, -0) ? 0 : value)),
    text,
    fc.constantFrom(null, true, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(text, tie('tree')), { maxLength: 4 }).map(Object.fromEntries),
  ),
}));

it('reads what Python writes, and changes nothing within text', () => {
  fc.assert(
    fc.property(tree, value => {
      expect(parseJson(written(value))).toEqual(value);
      expect(parseJson(tag + written(value))).toEqual(value);
    }),
  );
});

it('keeps the digits of whole numbers', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), id => {
      const { read } = parseJsonKeepingDigits(`{"read": ${id}, "x": NaN}`) as { read: unknown };
      expect(String(read)).toBe(String(id));
    }),
  );
});

it.each(['', '{', 'NaN NaN', '{"a": Nan}', '{"a": +Infinity}', "{'a': NaN}", '{NaN: 1}', 'N'])(
  'refuses %s',
  content => {
    expect(() => parseJson(content)).toThrow(SyntaxError);
  },
);

it('takes time in proportion to a text that never ends', () => {
  const content = `{"NaN${'\\"'.repeat(500_000)}`;
  expect(() => parseJson(content)).toThrow(SyntaxError);
});

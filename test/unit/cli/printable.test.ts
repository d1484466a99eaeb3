import { expect, it, vi } from 'vitest';
import { formatTable } from '../../../bin/terminal/formatTable.ts';
import { printable, printableTexts, printSafely } from '../../../bin/terminal/printable.ts';

it('writes what a terminal would obey as its code', () => {
  expect(printable('a\u001b[31m\u202eb\r\n\u0085é😀')).toBe(
    'a\\u001b[31m\\u202eb\\u000d\\u000a\\u0085é😀',
  );
});

it('keeps every row of a table on one line', () => {
  expect(formatTable([{ model: 'a\nb', lag: 1 }])).toBe('model     lag\na\\u000ab    1');
});

it('makes all texts of a value printable', () => {
  expect(printableTexts({ a: ['x\n', 1, null], b: { c: '\u202e' } })).toEqual({
    a: ['x\\u000a', 1, null],
    b: { c: '\\u202e' },
  });
});

it('lets nothing reach the terminal as it is, and leaves JSON the same', () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  printSafely();
  const value = { model: 'a\u001b\u202e\u0085' };
  console.log(JSON.stringify(value, null, 2));
  const [[printed]] = log.mock.calls as [[string]];
  for (const character of value.model.slice(1)) expect(printed).not.toContain(character);
  expect(JSON.parse(printed)).toEqual(value);
  vi.restoreAllMocks();
});

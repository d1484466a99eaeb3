import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commaNumber, hasDecimalComma } from '../../../../services/shared/profile/commaNumber.ts';
import { writtenNumber } from '../../../../services/shared/profile/writtenNumber.ts';
import { writtenTime } from '../../../../services/shared/profile/writtenTime.ts';

describe('the number that a text says', () => {
  it.each([
    ['15.50', 15.5],
    ['-1e3', -1000],
    ['+7', 7],
    ['.5', 0.5],
    ['5.', 5],
    ['0', 0],
    ['0.0', 0],
    [' 7 ', 7],
  ])('%j is %d', (text, number) => {
    expect(writtenNumber(text)).toBe(number);
  });

  it.each([
    '',
    ' ',
    '01234',
    '-01',
    '7 kg',
    'N/A',
    'NaN',
    'Infinity',
    '1e999',
    '0x10',
    '1_000',
    '--1',
    '.',
  ])('%j says none', text => {
    expect(writtenNumber(text)).toBeNaN();
  });
});

describe('the number that a text with a decimal comma says', () => {
  it.each([
    ['3,14', 3.14],
    ['1.234,56', 1234.56],
    ['-1.234.567,8', -1234567.8],
    ['12345,678', 12345.678],
    ['0,125', 0.125],
    [',5', 0.5],
    [' 2,5e-3 ', 0.0025],
  ])('%j is %d', (text, number) => {
    expect(commaNumber(text)).toBe(number);
    expect(hasDecimalComma(text)).toBe(true);
  });

  it.each([
    ['1,234', 1.234],
    ['-12,345', -12.345],
    ['1.234', 1234],
    ['1.234.567', 1234567],
    ['7', 7],
  ])('%j is %d if other texts show that the comma is the decimal sign', (text, number) => {
    expect(commaNumber(text)).toBe(number);
    expect(hasDecimalComma(text)).toBe(false);
  });

  it.each(['', '3.14', '1,234.56', '1,234,567', '12.34,5', '01,5', '3,', '1,2,3', '3,14 €', 'a,5'])(
    '%j says none',
    text => {
      expect(commaNumber(text)).toBeNaN();
      expect(hasDecimalComma(text)).toBe(false);
    },
  );
});

describe('the time that a text says', () => {
  const at = (iso: string) => Date.parse(iso) / 1000;

  it.each([
    ['2026-03-02', '2026-03-02'],
    ['2026/3/2', '2026-03-02'],
    ['02.03.2026', '2026-03-02'],
    ['03/02/2026', '2026-03-02'],
    ['25/03/2026', '2026-03-25'],
    ['2026-03-02T07:00:00.123456Z', '2026-03-02T07:00:00Z'],
    ['2026-03-02 07:00:00.5-05', '2026-03-02T12:00:00Z'],
    ['2026-03-02 07:00+0530', '2026-03-02T01:30:00Z'],
    ['2026-03-02 07:00:00 UTC', '2026-03-02T07:00:00Z'],
    ['2 March 2026', '2026-03-02'],
    ['02-Mar-2026', '2026-03-02'],
    ['Mar 2, 2026', '2026-03-02'],
    ['Mon, 02 Mar 2026 07:00:00 GMT', '2026-03-02T07:00:00Z'],
    ['2026-03', '2026-03-01'],
    ['2026-W02', '2026-01-08'],
    ['07:30', '1970-01-01T07:30:00Z'],
  ])('%s is %s', (text, iso) => {
    expect(writtenTime(text)).toBe(at(iso));
  });

  it('is that of Date for any day and second in the commonest forms', () => {
    const times = fc.integer({ min: 0, max: Date.UTC(2999, 11, 31) });
    fc.assert(
      fc.property(times, timeMs => {
        const iso = new Date(timeMs).toISOString();
        for (const text of [iso, iso.slice(0, 19), iso.replace('T', ' ').slice(0, 23)])
          expect(writtenTime(text)).toBe(Math.floor(timeMs / 1000));
        expect(writtenTime(iso.slice(0, 10))).toBe(Date.parse(iso.slice(0, 10)) / 1000);
      }),
    );
  });

  it.each([
    '',
    'today',
    '2026-02-30',
    '2026-13-01',
    '31.02.2026',
    '2026-03-02T25:61',
    '12345',
    '1.2.3',
    'May',
    '2026',
  ])('%j says none', text => {
    expect(writtenTime(text)).toBeNaN();
  });
});

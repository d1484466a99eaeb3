import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMs, eventTimeMs } from '../../../services/shared/records/eventTime.ts';

const morning = Date.UTC(2026, 2, 2, 9, 30);
const firstMs = Date.UTC(1980, 0, 1);
const lastMs = Date.UTC(2099, 11, 31);
const time = fc.integer({ min: firstMs, max: lastMs });
const two = (value: number) => String(value).padStart(2, '0');

describe('eventTimeMs', () => {
  it.each([
    '2026-03-02T09:30:00Z',
    '2026-03-02t09:30:00z',
    '2026-03-02T09:30',
    '2026-03-02 09:30:00',
    '2026-03-02 09:30:00 UTC',
    '2026-03-02 09:30:00GMT',
    '2026-03-02 09:30:00 +00:00',
    '2026-03-02 04:30:00.000000-05',
    '2026-03-02 04:30:00 -0500',
    '2026-03-02T04:30:00−05:00',
    '2026-03-02T15:00:00+05:30',
    '2026-03-02 11:30:00 GMT+2',
    '2026-03-02T10:30:00+01:00[Europe/Berlin]',
    '2026-03-02T09:30:00,000Z',
    '2026-03-02T09:30:00.000999999Z',
    '2026-03-02T0930',
    '20260302T093000Z',
    '20260302 093000.0',
    '20260302093000',
    '20260302093000000',
    '2026/03/02 09:30:00',
    '2026/3/2 09:30',
    '2026-W10-1T09:30:00',
    '2026W101T093000',
    '2026-061T09:30:00',
    '2026061T0930',
    'Mon, 02 Mar 2026 09:30:00 +0000',
    '2 Mar 2026 10:30 +0100',
    ' 1772443800 ',
    '1772443800.0',
    '1772443800000',
    '1.7724438e9',
    1772443800,
    1772443800000,
    1772443800000.9,
    1772443800000000,
    1772443800000000000,
    1772443800000000123n,
  ])('reads %s as half past nine', value => {
    expect(eventTimeMs(value)).toBe(morning);
  });

  it.each([
    '2026-02-30',
    '2025-02-29T00:00:00Z',
    '2026-03-02T25:00:00Z',
    '2026-03-02T24:00:01Z',
    '2026-03-02T09:60:00Z',
    '2026-03-02T09:30:61Z',
    '2026-03-02T09:30:00+19:00',
    '2026-366',
    '2026-W54-1',
    '2026-W10-8',
    '03/04/2026',
    '03/04/2026 10:00',
    '2.3.2026',
    '2026-03',
    '2026-03-02-05',
    '2026-03-02 09:30 CET',
    '2026-03-02 09:30:00 EST',
    'Mon, 02 Mar 2026 09:30:00 EST',
    '2026-03-02T09:30:00 (CET)',
    '2026-03-02T09:30 AM',
    '12:30',
    'yesterday',
    '',
    'NaN',
    `2026-03-02T09:30:00.${'0'.repeat(200)}Z`,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    true,
    [1772443800],
  ])('refuses %s', value => {
    expect(eventTimeMs(value)).toBeUndefined();
  });

  it('takes midnight at the end of a day, leap days and leap seconds as POSIX does', () => {
    expect(eventTimeMs('2026-03-01T24:00:00Z')).toBe(Date.UTC(2026, 2, 2));
    expect(eventTimeMs('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
    expect(eventTimeMs('2024-366')).toBe(Date.UTC(2024, 11, 31));
    expect(eventTimeMs('2020-W53-7')).toBe(Date.UTC(2021, 0, 3));
    expect(eventTimeMs('2016-12-31T23:59:60Z')).toBe(Date.UTC(2017, 0, 1));
  });

  it('reads every time that Date writes, and with every offset', () => {
    fc.assert(
      fc.property(
        time,
        fc.integer({ min: -18 * 60, max: 18 * 60 }),
        fc.constantFrom(' ', 'T', '  '),
        fc.constantFrom('', ' '),
        fc.constantFrom(':', ''),
        (timeMs, offsetMinutes, separator, space, colon) => {
          expect(eventTimeMs(new Date(timeMs).toISOString())).toBe(timeMs);
          const [date, clock] = new Date(timeMs + offsetMinutes * 60_000)
            .toISOString()
            .slice(0, -1)
            .split('T');
          const minutes = Math.abs(offsetMinutes);
          const offset = `${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`;
          const written = `${date}${separator}${clock}${space}${offsetMinutes < 0 ? '-' : '+'}${offset}`;
          expect(eventTimeMs(written)).toBe(timeMs);
        },
      ),
    );
  });

  it('reads a number in every unit, and what it has read again as the same', () => {
    fc.assert(
      fc.property(time, fc.nat(999), (timeMs, rest) => {
        expect(eventTimeMs(timeMs)).toBe(timeMs);
        expect(eventTimeMs(String(timeMs))).toBe(timeMs);
        expect(eventTimeMs(Math.floor(timeMs / 1000))).toBe(Math.floor(timeMs / 1000) * 1000);
        expect(eventTimeMs(timeMs / 1000)).toBe(timeMs);
        expect(eventTimeMs(BigInt(timeMs) * 1000n + BigInt(rest))).toBe(timeMs);
        expect(eventTimeMs(timeMs * 1000 + rest)).toBe(timeMs);
        const fromNanoseconds = eventTimeMs(BigInt(timeMs) * 1_000_000n + 500_000n);
        expect(fromNanoseconds).toBe(timeMs);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), value => {
        const once = epochMs(value)!;
        expect(epochMs(once)).toBe(once);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), value => {
        const timeMs = eventTimeMs(value);
        expect(timeMs === undefined || Number.isInteger(timeMs)).toBe(true);
      }),
    );
  });
});

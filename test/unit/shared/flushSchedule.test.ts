import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FlushSituation,
  maxUnflushedBytes,
  maxUnflushedRecords,
  nextFlushAtMs,
} from '../../../services/shared/service/flushSchedule.ts';

const nowMs = 1_000_000;
/** A service without backlog that flushed 200 ms ago, in 20 ms. */
const quiet: FlushSituation = {
  nowMs,
  flushedAtMs: nowMs - 200,
  lastFlushMs: 20,
  flushIntervalMs: 1_000,
  unflushed: { records: 10, bytes: 1_000 },
  maxRecords: maxUnflushedRecords,
  backlogRecords: 0,
  isUrgent: false,
};
const backlog = { ...quiet, backlogRecords: maxUnflushedRecords + 1 };
const waitMs = (situation: FlushSituation) => nextFlushAtMs(situation) - nowMs;

describe('nextFlushAtMs', () => {
  it('lets records wait for the flush interval', () => {
    expect(waitMs(quiet)).toBe(1_000);
  });

  it('returns the present time when the last flush was an interval ago', () => {
    expect(waitMs({ ...quiet, flushedAtMs: nowMs - 999 })).toBe(1_000);
    expect(waitMs({ ...quiet, flushedAtMs: nowMs - 1_000 })).toBe(0);
    expect(waitMs({ ...quiet, flushIntervalMs: 0 })).toBe(0);
  });

  it('returns the present time when too many records or bytes wait', () => {
    expect(waitMs({ ...quiet, unflushed: { records: 100_000, bytes: 0 } })).toBe(0);
    expect(waitMs({ ...quiet, unflushed: { records: 99_999, bytes: 0 } })).toBe(1_000);
    expect(waitMs({ ...quiet, unflushed: { records: 1, bytes: maxUnflushedBytes } })).toBe(0);
  });

  it('uses the limit of a handler that has its own', () => {
    const many = { records: 100_000, bytes: 0 };
    expect(waitMs({ ...quiet, unflushed: many, maxRecords: 500_000 })).toBe(1_000);
    expect(waitMs({ ...quiet, unflushed: { records: 7, bytes: 0 }, maxRecords: 7 })).toBe(0);
  });

  it('waits five intervals under backlog', () => {
    expect(waitMs(backlog)).toBe(5_000);
    expect(waitMs({ ...backlog, flushedAtMs: nowMs - 4_999 })).toBe(5_000);
    expect(waitMs({ ...backlog, flushedAtMs: nowMs - 5_000 })).toBe(0);
    expect(waitMs({ ...backlog, backlogRecords: maxUnflushedRecords })).toBe(1_000);
  });

  it('waits four times the last flush under backlog when that is longer, but at most 30 s', () => {
    expect(waitMs({ ...backlog, lastFlushMs: 2_000 })).toBe(8_000);
    expect(waitMs({ ...backlog, lastFlushMs: 20_000 })).toBe(30_000);
    expect(waitMs({ ...backlog, lastFlushMs: 20_000, flushIntervalMs: 10_000 })).toBe(50_000);
  });

  it('lets urgent records wait 50 ms, but not within 250 ms after the last flush', () => {
    const urgent = { ...quiet, isUrgent: true };
    expect(waitMs({ ...urgent, flushedAtMs: nowMs - 900 })).toBe(50);
    expect(waitMs(urgent)).toBe(50);
    expect(waitMs({ ...urgent, flushedAtMs: nowMs - 10 })).toBe(240);
  });

  it('lets urgent records wait for as long as the last flush took, but not beyond the interval', () => {
    const urgent = { ...quiet, isUrgent: true, lastFlushMs: 700 };
    expect(waitMs(urgent)).toBe(500);
    expect(waitMs({ ...urgent, lastFlushMs: 60_000 })).toBe(1_000);
  });

  it('never returns a time in the past, or a later one than an ordinary flush', () => {
    const situation = fc.record({
      nowMs: fc.constant(nowMs),
      flushedAtMs: fc.nat(nowMs),
      lastFlushMs: fc.nat(100_000),
      flushIntervalMs: fc.nat(60_000),
      unflushed: fc.record({ records: fc.nat(200_000), bytes: fc.nat(2 * maxUnflushedBytes) }),
      maxRecords: fc.constantFrom(maxUnflushedRecords, 500_000),
      backlogRecords: fc.nat(300_000),
      isUrgent: fc.boolean(),
    });
    fc.assert(
      fc.property(situation, one => {
        expect(nextFlushAtMs(one)).toBeGreaterThanOrEqual(nowMs);
        expect(nextFlushAtMs(one)).toBeLessThanOrEqual(nextFlushAtMs({ ...one, isUrgent: false }));
      }),
    );
  });
});

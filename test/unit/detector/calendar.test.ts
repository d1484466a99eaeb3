import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block } from '../../../services/detector/blocks/block.ts';
import { type Calendar, slotOf, withBlock } from '../../../services/detector/reference/calendar.ts';
import { calendarReference } from '../../../services/detector/reference/calendarReference.ts';
import { dayMs, hourMs } from '../../../services/shared/duration.ts';

const parts = { variables: new Set(['feature/x']), performance: true };

function blockAt(startMs: number, lengthMs: number, counts: number[], wrong = 0): Block {
  const labelled = counts.reduce((total, count) => total + count, 0);
  return {
    startMs,
    endMs: startMs + lengthMs,
    records: labelled,
    given: false,
    variables: new Map([['feature/x', { counts, outOfRange: 0, constant: false }]]),
    unknownFeatures: new Map(),
    vectors: new Map(),
    codeVersions: new Set(),
    performance: {
      task: 'binary',
      labelled,
      lossSum: wrong,
      lossSquareSum: wrong,
      predictedCounts: new Map(),
      rightCounts: new Map(),
      labelCounts: new Map([
        ['yes', counts[0]!],
        ['no', labelled - counts[0]!],
      ]),
    },
    pairs: null,
    residuals: null,
  };
}

const plainOf = (counts: number[]) => ({
  blocks: 10,
  records: 0,
  variables: new Map([['feature/x', { counts, outOfRange: 0, blocks: 10 }]]),
  unknownFeatures: new Map(),
  vectors: new Map(),
  performance: blockAt(0, hourMs, counts, 10).performance,
  labelledBlocks: 10,
  pairs: new Float64Array(0),
  pairBlocks: 0,
});

describe('slotOf', () => {
  const monday = Date.UTC(2026, 0, 5);
  const at = (startMs: number, lengthMs: number) => ({
    given: false,
    startMs,
    endMs: startMs + lengthMs,
  });

  it('returns the slot that contains the middle of a block, in UTC', () => {
    expect(slotOf('day', at(monday + 14 * hourMs, hourMs))).toBe(14);
    expect(slotOf('week', at(monday + 14 * hourMs, hourMs))).toBe(24 + 14);
    expect(slotOf('day', at(monday - hourMs, 4 * hourMs))).toBe(1);
    expect(slotOf('week', at(monday, dayMs))).toBe(168 + 1);
    expect(slotOf('week', at(monday - dayMs, dayMs))).toBe(168);
    // This also holds before 1970.
    expect(slotOf('week', at(Date.UTC(1949, 0, 3) + hourMs, hourMs))).toBe(24 + 1);
  });

  it('returns null if a block is too long to show the cycle, or has no time', () => {
    expect(slotOf('day', at(monday, 9 * hourMs))).toBeNull();
    expect(slotOf('week', at(monday, 4 * dayMs))).toBeNull();
    expect(slotOf('day', { ...at(monday, hourMs), given: true })).toBeNull();
  });
});

describe('Calendar', () => {
  const counted = (blocks: readonly Block[]) =>
    blocks.reduce<Calendar>((calendar, block) => withBlock(calendar, block, parts), new Map());
  const days = (count: number) =>
    Array.from({ length: count * 24 }, (_, hour) =>
      blockAt(hour * hourMs, hourMs, [10 + (hour % 24), 30], 4),
    );

  it('adds up the blocks of each slot, without changing the calendar before', () => {
    const before = counted(days(3));
    const known = structuredClone(before);
    expect(before.get('day')!.slots.get(5)).toMatchObject({
      visits: 3,
      variables: new Map([['feature/x', [45, 90]]]),
    });
    withBlock(before, blockAt(72 * hourMs, hourMs, [1, 2]), parts);
    expect(before).toEqual(known);
    expect(structuredClone(before)).toEqual(before);
  });

  it('counts only the parts that are asked for', () => {
    const calendar = withBlock(new Map(), blockAt(0, hourMs, [1, 2]), {
      variables: new Set(),
      performance: false,
    });
    expect(calendar.get('day')!.slots.get(0)).toEqual({
      visits: 1,
      variables: new Map(),
      performance: null,
    });
  });

  it('halves old counts, and has a bounded size', () => {
    const slot = counted(days(200)).get('day')!.slots.get(5)!;
    expect(slot.visits).toBeGreaterThanOrEqual(8);
    expect(slot.visits).toBeLessThanOrEqual(16);
    expect(slot.variables.get('feature/x')![1]! / slot.visits).toBeCloseTo(30, 0);
    const slotCount = [...counted(days(400)).values()].reduce(
      (total, { slots }) => total + slots.size,
      0,
    );
    expect(slotCount).toBe(24 + 168);
  });

  it('counts many blocks in a row in one slot as one visit', () => {
    const minutes = Array.from({ length: 12 }, (_, index) =>
      blockAt(index * 300_000, 300_000, [1, 1]),
    );
    expect(counted(minutes).get('day')!.slots.get(0)).toMatchObject({ visits: 1 });
  });

  it('expects what was counted at the same times, plus ten records of the plain reference', () => {
    const calendar = counted(days(3));
    const plain = plainOf([500, 500]);
    const [recent] = [blockAt(72 * hourMs, hourMs, [4, 36])];
    const reference = calendarReference('day', calendar.get('day')!, [recent!], plain)!;
    // Midnight had 10 of 40 records in the first bin, three times. The reference is worth the
    // records that were counted and those that were assumed.
    expect(reference.countsOf('feature/x')).toEqual(
      [30 + 5, 90 + 5].map(count => expect.closeTo(count, 9)),
    );
    const { labelled, lossSum, labelCounts } = reference.performance()!;
    expect(labelled).toBeCloseTo(130, 9);
    expect(lossSum).toBeCloseTo(12 + 0.1, 9);
    expect(labelCounts.get('yes')).toBeCloseTo(35, 9);
  });

  it('is worth fewer records than were counted if the recent records are distributed differently over the times', () => {
    const calendar = counted(days(3));
    const plain = plainOf([500, 500]);
    const at = (hour: number, records: number) =>
      blockAt((72 + hour) * hourMs, hourMs, [0, records]);
    const worth = (blocks: Block[]) => {
      const counts = calendarReference('day', calendar.get('day')!, blocks, plain)!.countsOf(
        'feature/x',
      )!;
      return counts[0]! + counts[1]!;
    };
    expect(worth([at(0, 40), at(1, 41)])).toBeCloseTo(81 ** 2 / (40 ** 2 / 130 + 41 ** 2 / 133), 9);
    expect(worth([at(0, 1), at(1, 1000)])).toBeLessThan(134);
    // Two blocks at the same time share the records that were counted there.
    expect(worth([at(0, 40), at(0, 40)])).toBeCloseTo(130, 9);
  });

  it('has no reference for a time at which nothing was counted', () => {
    const half = counted(days(1).slice(0, 12));
    const plain = plainOf([500, 500]);
    expect(
      calendarReference('day', half.get('day')!, [blockAt(36 * hourMs, hourMs, [1, 1])], plain),
    ).toBeNull();
    expect(
      calendarReference('day', half.get('day')!, [blockAt(24 * hourMs, 9 * hourMs, [1, 1])], plain),
    ).toBeNull();
  });

  it('expects counts of at least 0 that sum to at most what was counted and assumed', () => {
    const count = fc.integer({ min: 0, max: 500 });
    const hours = fc.array(fc.tuple(fc.nat(23), count, count), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(hours, count, count, (visits, left, right) => {
        const blocks = visits.map(([hour, x, y], day) =>
          blockAt((24 * day + hour) * hourMs, hourMs, [x, y + 1]),
        );
        const calendar = counted(blocks);
        const recent = blocks.slice(0, 8);
        const reference = calendarReference(
          'day',
          calendar.get('day')!,
          recent,
          plainOf([left, right + 1]),
        )!;
        const counts = reference.countsOf('feature/x')!;
        const counted_ = blocks.reduce((total, { records }) => total + records + 10, 0);
        for (const expected of counts) expect(expected).toBeGreaterThanOrEqual(0);
        expect(counts[0]! + counts[1]!).toBeLessThanOrEqual(counted_ + 1e-6);
      }),
    );
  });
});

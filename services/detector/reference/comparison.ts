import { dayMs } from '../../shared/duration.ts';
import { type Block, type BlockSums, subtractSums, sumBlocks } from '../blocks/block.ts';
import type { Calendar, Cycle, CycleCounts } from './calendar.ts';
import { calendarReference } from './calendarReference.ts';
import type { TestReference } from './testReference.ts';

/**
 * The numbers of recent blocks that tests pool. A strong change shows in one block, a weak one only
 * in eight.
 */
export const scales = [1, 2, 4, 8] as const;
/** The largest of the scales. */
export const maxScale = 8;
/** Recent blocks are compared with at most this many earlier blocks of the regime. */
export const maxHistoryBlocks = 150;
/** Fewer blocks of the stream itself are not a reference. */
export const minReferenceBlocks = 5;
/** Fewer blocks of the stream itself do not show how the stream varies. */
export const minOwnBlocks = 8;

/**
 * Returns how many blocks of an ordered stream have to be known to show how it varies: at least
 * eight, and a day of them, if a regime can hold a day.
 *
 * @example
 * blocksOfVariation([{ startMs: 0, endMs: 3_600_000 }]) // 24
 */
export function blocksOfVariation(blocks: readonly Pick<Block, 'startMs' | 'endMs'>[]): number {
  const blockMs = (blocks.at(-1)!.endMs - blocks[0]!.startMs) / blocks.length;
  const ofDay = Math.ceil(dayMs / blockMs);
  return ofDay <= maxHistoryBlocks ? Math.max(minOwnBlocks, ofDay) : minOwnBlocks;
}

/**
 * Returns the place of a scale in `scales`, and of its state in arrays by scale; -1 for another
 * number.
 *
 * @example scaleIndex(4) // 2
 */
export function scaleIndex(scale: number): number {
  return scales.indexOf(scale as (typeof scales)[number]);
}

/** Recent blocks and what they are compared with, for the tests of one scale. */
export interface Comparison {
  /** One of `scales`: the number of recent blocks. */
  scale: number;
  /** Oldest first. */
  recentBlocks: readonly Block[];
  /** Oldest first. */
  referenceBlocks: readonly Block[];
  /** The sum of the recent blocks. */
  recent: BlockSums;
  /** The sum of the reference blocks. */
  reference: BlockSums;
  /**
   * For each cycle, what the recent blocks would be like if they were as the stream was at the same
   * times before.
   */
  cyclic: ReadonlyMap<Cycle, TestReference>;
  /**
   * Returns the same for each of the other days of the week. It is computed on demand, which is
   * seldom.
   */
  otherDays(): TestReference[];
}

/** A comparison without a calendar. */
type PlainComparison = Omit<Comparison, 'cyclic' | 'otherDays'>;

/**
 * Compares the last blocks of a regime with those before them, at each scale for which there are
 * enough blocks. None if the last block is part of a given reference, or if there are fewer than
 * five blocks before it (a given reference needs one).
 *
 * @param blocks of the regime, oldest first
 */
export function comparisonsWithinRegime(
  blocks: readonly Block[],
  calendar: Calendar,
): Comparison[] {
  const whole = sumBlocks(blocks);
  const comparisons: Comparison[] = [];
  for (const scale of scales) {
    const recentBlocks = blocks.slice(-scale);
    const referenceBlocks = blocks.slice(0, -scale);
    if (recentBlocks.length < scale || recentBlocks[0]!.given || !isReference(referenceBlocks))
      break;
    const recent = sumBlocks(recentBlocks);
    const reference = subtractSums(whole, recent);
    comparisons.push(
      withCalendar({ scale, recentBlocks, referenceBlocks, recent, reference }, calendar),
    );
  }
  return comparisons;
}

function withCalendar(comparison: PlainComparison, calendar: Calendar): Comparison {
  const cyclic = new Map<Cycle, TestReference>();
  for (const [cycle, counts] of calendar) {
    const expected = calendarReference(
      cycle,
      counts,
      comparison.recentBlocks,
      comparison.reference,
    );
    if (expected) cyclic.set(cycle, expected);
  }
  return {
    ...comparison,
    cyclic,
    otherDays: () => referencesOfOtherDays(comparison, calendar.get('week')),
  };
}

function referencesOfOtherDays(
  { recentBlocks, reference }: PlainComparison,
  week: CycleCounts | undefined,
): TestReference[] {
  if (!week) return [];
  return [1, 2, 3, 4, 5, 6].flatMap(
    days => calendarReference('week', week, recentBlocks, reference, days) ?? [],
  );
}

/**
 * Compares the last blocks since a change with the regime before it, at each scale for which there
 * are enough blocks.
 *
 * @param regime blocks before the change, oldest first
 * @param since blocks since the change, oldest first
 */
export function comparisonsSinceChange(
  regime: readonly Block[],
  since: readonly Block[],
  calendar: Calendar,
): Comparison[] {
  if (!isReference(regime)) return [];
  const reference = sumBlocks(regime);
  return scales
    .filter(scale => scale <= since.length)
    .map(scale => {
      const recentBlocks = since.slice(-scale);
      const recent = sumBlocks(recentBlocks);
      return withCalendar(
        { scale, recentBlocks, referenceBlocks: regime, recent, reference },
        calendar,
      );
    });
}

/**
 * Compares every run of neighbouring blocks of a reference with all its other blocks, at each scale
 * at which at least five others are left. This shows how the reference varies within itself.
 * O(blocks² · variables · bins).
 */
export function comparisonsWithinReference(blocks: readonly Block[]): Comparison[] {
  const whole = sumBlocks(blocks);
  const comparisons: Comparison[] = [];
  for (const scale of scales) {
    if (blocks.length - scale < minReferenceBlocks) break;
    for (let start = 0; start + scale <= blocks.length; start++) {
      const recentBlocks = blocks.slice(start, start + scale);
      const referenceBlocks = blocks.toSpliced(start, scale);
      const recent = sumBlocks(recentBlocks);
      const reference = subtractSums(whole, recent);
      comparisons.push({
        scale,
        recentBlocks,
        referenceBlocks,
        recent,
        reference,
        cyclic: new Map(),
        otherDays: () => [],
      });
    }
  }
  return comparisons;
}

function isReference(blocks: readonly Block[]): boolean {
  return blocks.length >= minReferenceBlocks || blocks.at(0)?.given === true;
}

/**
 * Returns the counts of a reference, pooled over `scale` neighbouring blocks each, so that they
 * vary as the recent blocks of that scale do. Blocks at the start that do not fill a pool are left
 * out. O(blocks · bins).
 *
 * @param countsOf a block; null for a block without counts, which is skipped
 */
export function pooledCounts(
  blocks: readonly Block[],
  scale: number,
  countsOf: (block: Block) => number[] | null,
): number[][] {
  const counts = blocks.map(countsOf).filter(vector => vector !== null);
  const pooled: number[][] = [];
  for (let end = counts.length; end >= scale; end -= scale) {
    const sum = [...counts[end - scale]!];
    for (const vector of counts.slice(end - scale + 1, end)) {
      for (let bin = 0; bin < sum.length; bin++) sum[bin]! += vector[bin]!;
    }
    pooled.push(sum);
  }
  return pooled;
}

import { type Block, type BlockSums, subtractSums, sumBlocks } from '../blocks/block.ts';
import type { Calendar, Cycle, CycleCounts } from './calendar.ts';
import { calendarReference } from './calendarReference.ts';
import type { TestReference } from './testReference.ts';

/** Numbers of recent blocks that are pooled: a strong change shows in one, a weak one in eight. */
export const scales = [1, 2, 4, 8] as const;
export const largestScale = 8;
/** Earlier blocks of the regime that recent ones are compared with, at the most. */
export const longestHistoryBlocks = 150;
/** Fewer blocks of the stream itself are no reference. */
export const minimumReferenceBlocks = 5;
/** Nor do fewer tell how the stream itself varies. */
export const fewestOwnBlocks = 8;

/** Recent blocks, pooled, and what they are compared with. */
export interface Comparison {
  scale: number;
  recentBlocks: readonly Block[];
  referenceBlocks: readonly Block[];
  recent: BlockSums;
  reference: BlockSums;
  /** What the recent blocks would be like if they were as the stream was at the same times of earlier cycles. */
  cyclic: ReadonlyMap<Cycle, TestReference>;
  /** The same if they were as on each of the other days of the week: made when it is asked for, which is seldom. */
  otherDays(): TestReference[];
}

/** A comparison that knows no calendar. */
type PlainComparison = Omit<Comparison, 'cyclic' | 'otherDays'>;

/** The last blocks of a regime against those before them, at each scale for which there are enough. */
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

/** The blocks since a change against the regime before it. */
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

/** Neighbouring blocks of a reference, pooled, against all its other blocks: what it shows of itself. */
export function comparisonsWithinReference(blocks: readonly Block[]): Comparison[] {
  const whole = sumBlocks(blocks);
  const comparisons: Comparison[] = [];
  for (const scale of scales) {
    if (blocks.length - scale < minimumReferenceBlocks) break;
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
  return blocks.length >= minimumReferenceBlocks || blocks.at(0)?.given === true;
}

/** Neighbouring blocks of a reference pooled to blocks of the size that is compared, so that they vary as those do. */
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

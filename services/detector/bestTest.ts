import type { BlockSums } from './block.ts';
import { type Cycle, cycles } from './calendar.ts';
import { type Comparison, fewestOwnBlocks } from './comparison.ts';
import { detectableRatio, type Judgement, judge, type Significance } from './significance.ts';
import { fewestBlocks, type Measurement, type StatisticHistory } from './statisticHistory.ts';

/** What a test means on this stream, against the plain reference and against those of the calendar. */
export interface TestSignificance extends Significance {
  cyclic: ReadonlyMap<Cycle, readonly StatisticHistory[]>;
}

/** A statistic, of how many records. */
export interface ReferenceMeasurement extends Measurement {
  records: number;
  referenceRecords: number;
}

/** What was measured against each reference, for the history of the stream. */
export interface Measured {
  plain: Measurement;
  cyclic: ReadonlyMap<Cycle, Measurement>;
}

/** A test against the reference with which it shows the smallest changes. */
export interface BestTest<M extends Measurement> {
  test: M;
  /** null: all blocks before, whatever their time. */
  cycle: Cycle | null;
  measured: Measured;
  judgementOf(statistic: number): Judgement;
}

/** A calendar has to show changes smaller by so much: it was chosen, and knows less. */
const worthwhile = 0.9;
/** A calendar is trusted when it has been compared with the stream for a week, weekend and all, and so many blocks. */
const fewestCalendarBlocks = 24;
const shareOfWeek = 0.9;
const weekMs = 168 * 3_600_000;
/** Nearly all that a history remembers. */
const mostCalendarBlocks = 350;

/**
 * Measures against the plain reference and, where the stream is more than sampling noise, against those of the calendar, and judges by
 * the one that has had the least to explain in the past: `detectableRatio`. So a calendar is used for a variable when the data have shown
 * that it matters.
 */
export function bestTest<M extends ReferenceMeasurement>(
  comparison: Comparison,
  significance: TestSignificance,
  measure: (reference: BlockSums) => M | null,
): BestTest<M> | null {
  const { scale, referenceBlocks, recentBlocks } = comparison;
  const plain = measure(comparison.reference);
  if (!plain) return null;
  let best: { test: M; cycle: Cycle | null; own: Significance } = { test: plain, cycle: null, own: significance };
  const cyclic = new Map<Cycle, Measurement>();
  if (significance.noiseWeight < 0.5) {
    const needed = calendarBlocksNeeded(recentBlocks);
    let least = detectableRatio(significance, plain, scale, fewestBlocks);
    for (const cycle of cycles) {
      const reference = comparison.cyclic.get(cycle);
      const test = reference && measure(reference);
      if (!test || test.degreesOfFreedom === 0) continue;
      cyclic.set(cycle, test);
      const own = { noiseWeight: significance.noiseWeight, history: significance.cyclic.get(cycle) ?? [] };
      const detectable = detectableRatio(own, test, scale, needed);
      if (detectable >= least * worthwhile) continue;
      least = detectable;
      best = { test, cycle, own };
    }
  }
  const { test, cycle, own } = best;
  return {
    test,
    cycle,
    measured: { plain, cyclic },
    judgementOf: statistic => judge(own, { ...test, statistic }, scale, referenceBlocks.length >= fewestOwnBlocks),
  };
}

/** @example earlierRecords({ referenceRecords: 1200.2, cycle: 'week' }) // '1200 at the same time of the week' */
export function earlierRecords({ referenceRecords, cycle }: { referenceRecords: number; cycle: Cycle | null }): string {
  return `${Math.round(referenceRecords)}${cycle ? ` at the same time of the ${cycle}` : ''}`;
}

function calendarBlocksNeeded(blocks: Comparison['recentBlocks']): number {
  const blockMs = (blocks.at(-1)!.endMs - blocks[0]!.startMs) / blocks.length;
  return Math.min(mostCalendarBlocks, Math.max(fewestCalendarBlocks, (shareOfWeek * weekMs) / blockMs));
}

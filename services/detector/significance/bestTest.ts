import { type Cycle, cycles } from '../reference/calendar.ts';
import { type Comparison, fewestOwnBlocks } from '../reference/comparison.ts';
import { plainReference, type TestReference } from '../reference/testReference.ts';
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
/** Other days are only looked at when it matters. */
const notable = 0.01;
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
  measure: (reference: TestReference) => M | null,
): BestTest<M> | null {
  const { scale, referenceBlocks, recentBlocks } = comparison;
  const plain = measure(plainReference(comparison.reference));
  if (!plain) return null;
  let best: { test: M; cycle: Cycle | null; own: Significance } = {
    test: plain,
    cycle: null,
    own: significance,
  };
  const cyclic = new Map<Cycle, Measurement>();
  if (significance.noiseWeight < 0.5) {
    const needed = calendarBlocksNeeded(recentBlocks);
    let least = detectableRatio(significance, plain, scale, fewestBlocks);
    for (const cycle of cycles) {
      const reference = comparison.cyclic.get(cycle);
      const test = reference && measure(reference);
      if (!test || test.degreesOfFreedom === 0) continue;
      cyclic.set(cycle, test);
      const own = {
        noiseWeight: significance.noiseWeight,
        history: significance.cyclic.get(cycle) ?? [],
      };
      const detectable = detectableRatio(own, test, scale, needed);
      if (detectable >= least * worthwhile) continue;
      least = detectable;
      best = { test, cycle, own };
    }
  }
  const { cycle, own } = best;
  const judgementOf = (test: M, statistic: number) =>
    judge(own, { ...test, statistic }, scale, referenceBlocks.length >= fewestOwnBlocks);
  const isNotable =
    cycle === 'week' && judgementOf(best.test, best.test.statistic).pValue < notable;
  const test = isNotable ? closestDay(comparison, best.test, measure) : best.test;
  return {
    test,
    cycle,
    measured: { plain, cyclic },
    judgementOf: statistic => judgementOf(test, statistic),
  };
}

/** A holiday is as another day of the week, mostly as Sunday: what is as one of them is no change. */
function closestDay<M extends ReferenceMeasurement>(
  { otherDays }: Comparison,
  test: M,
  measure: (reference: TestReference) => M | null,
): M {
  return otherDays().reduce((closest, reference) => {
    const other = measure(reference);
    // A day of which little is known is like everything.
    const isKnown =
      other && other.degreesOfFreedom > 0 && other.referenceRecords >= test.referenceRecords / 2;
    return isKnown && other.statistic < closest.statistic ? other : closest;
  }, test);
}

const timesOf: Record<Cycle, string> = {
  day: ' at the same time of the day',
  week: ' at the same time of the week, or of the day most like it',
};

/** @example earlierRecords({ referenceRecords: 1200.2, cycle: 'day' }) // '1200 at the same time of the day' */
export function earlierRecords({
  referenceRecords,
  cycle,
}: {
  referenceRecords: number;
  cycle: Cycle | null;
}): string {
  return `${Math.round(referenceRecords)}${cycle ? timesOf[cycle] : ''}`;
}

function calendarBlocksNeeded(blocks: Comparison['recentBlocks']): number {
  const blockMs = (blocks.at(-1)!.endMs - blocks[0]!.startMs) / blocks.length;
  return Math.min(
    mostCalendarBlocks,
    Math.max(fewestCalendarBlocks, (shareOfWeek * weekMs) / blockMs),
  );
}

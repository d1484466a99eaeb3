import { weekMs } from '../../shared/duration.ts';
import { type Cycle, cycles } from '../reference/calendar.ts';
import {
  blocksOfVariation,
  type Comparison,
  minOwnBlocks,
  scaleIndex,
} from '../reference/comparison.ts';
import { plainReference, type TestReference } from '../reference/testReference.ts';
import { detectableRatio, isOrdered, type Judgement, judge, type NullModel } from './nullModel.ts';
import { type Measurement, minHistoryBlocks, type StatisticHistory } from './statisticHistory.ts';

/**
 * The null models of a test on this stream: against the plain reference, and against the reference
 * of each cycle.
 */
export interface TestNullModel extends NullModel {
  cyclic: ReadonlyMap<Cycle, readonly StatisticHistory[]>;
}

/** A statistic with the numbers of records behind it. */
export interface ReferenceMeasurement extends Measurement {
  records: number;
  /** Not necessarily a whole number: a calendar's reference is worth a fraction of records. */
  referenceRecords: number;
}

/** The measurements against each reference, for the history of the stream. */
export interface Measured {
  plain: Measurement;
  cyclic: ReadonlyMap<Cycle, Measurement>;
}

/** A test against the reference with which it shows the smallest changes. */
export interface BestReferenceTest<M extends Measurement> {
  test: M;
  /** The cycle of the reference; null for all earlier blocks, whatever their time. */
  cycle: Cycle | null;
  measured: Measured;
  /** Returns what the test would say if its statistic were this one. */
  judgementOf(statistic: number): Judgement;
}

/**
 * A calendar is used only if the smallest change that it shows is below this share of the smallest
 * change that the plain reference shows, because it was chosen in view of the data, and has fewer
 * records.
 */
const maxCalendarShare = 0.9;
/** A calendar is not trusted before this many blocks. */
const minCalendarBlocks = 24;
/**
 * A calendar is not trusted before this share of a week, so that it has been compared with a
 * weekend.
 */
const minShareOfWeek = 0.9;
/**
 * From this many blocks on a calendar is trusted in any case; a history does not remember many
 * more.
 */
const maxCalendarBlocks = 350;
/** The other days of the week are looked at only if the p-value is below this. */
const maxNotablePValue = 0.01;
/**
 * A day of the week is compared only if it has at least this share of the records that the expected
 * day has.
 */
const minShareOfDay = 0.5;

/**
 * Measures a test against the plain reference and judges it. Where the stream is ordered
 * (`isOrdered`), it also measures against the references of the calendar, and judges by the
 * reference for which the smallest changes stand out (`detectableRatio`). So a calendar is used for
 * a variable only after the data have shown that it helps.
 *
 * On a holiday traffic looks like another day of the week, mostly like Sunday. So where the week is
 * the best reference and the window differs from it, the test is against the day of the week that
 * is most like the window.
 *
 * @param measure measures the test against a reference; null if the reference does not have the
 * variable
 * @returns null if the plain reference does not have the variable
 */
export function testBestReference<M extends ReferenceMeasurement>(
  comparison: Comparison,
  significance: TestNullModel,
  measure: (reference: TestReference) => M | null,
): BestReferenceTest<M> | null {
  const plain = measure(plainReference(comparison.reference));
  if (!plain) return null;
  const cyclic = isOrdered(significance.noiseWeight)
    ? measureCycles(comparison, measure)
    : new Map<Cycle, M>();
  const { cycle, own } = bestReference(comparison, significance, plain, cyclic);
  const best = cycle === null ? plain : cyclic.get(cycle)!;
  const { scale, recentBlocks, referenceBlocks } = comparison;
  const known = own.history[scaleIndex(scale)]?.blocks ?? 0;
  const ownHistory =
    referenceBlocks.length >= minOwnBlocks &&
    (!isOrdered(significance.noiseWeight) || known >= blocksOfVariation(recentBlocks));
  const judgementOf = (test: M, statistic: number) =>
    judge(own, { ...test, statistic }, scale, ownHistory);
  const isNotable = cycle === 'week' && judgementOf(best, best.statistic).pValue < maxNotablePValue;
  const test = isNotable ? closestDay(comparison, best, measure) : best;
  return {
    test,
    cycle,
    measured: { plain, cyclic },
    judgementOf: statistic => judgementOf(test, statistic),
  };
}

/**
 * Measures a test against the reference of each cycle that has one, and with which there is
 * something to test.
 */
function measureCycles<M extends ReferenceMeasurement>(
  comparison: Comparison,
  measure: (reference: TestReference) => M | null,
): Map<Cycle, M> {
  const measured = new Map<Cycle, M>();
  for (const cycle of cycles) {
    const reference = comparison.cyclic.get(cycle);
    const test = reference && measure(reference);
    if (test && test.degreesOfFreedom > 0) measured.set(cycle, test);
  }
  return measured;
}

/**
 * Chooses the reference for which the smallest changes stand out, with what is known of the test
 * against it.
 */
function bestReference(
  { scale, recentBlocks }: Comparison,
  significance: TestNullModel,
  plain: ReferenceMeasurement,
  cyclic: ReadonlyMap<Cycle, ReferenceMeasurement>,
): { cycle: Cycle | null; own: NullModel } {
  let best: { cycle: Cycle | null; own: NullModel } = { cycle: null, own: significance };
  if (cyclic.size === 0) return best;
  const minBlocks = calendarBlocksNeeded(recentBlocks);
  let smallest = detectableRatio(significance, plain, scale, minHistoryBlocks);
  for (const [cycle, test] of cyclic) {
    const own = {
      ...significance,
      history: significance.cyclic.get(cycle) ?? [],
    };
    const detectable = detectableRatio(own, test, scale, minBlocks);
    if (detectable >= smallest * maxCalendarShare) continue;
    smallest = detectable;
    best = { cycle, own };
  }
  return best;
}

/**
 * Returns the number of blocks after which a calendar is trusted: as many as nearly a week has,
 * from 24 to 350.
 */
function calendarBlocksNeeded(blocks: Comparison['recentBlocks']): number {
  const blockMs = (blocks.at(-1)!.endMs - blocks[0]!.startMs) / blocks.length;
  return Math.min(
    maxCalendarBlocks,
    Math.max(minCalendarBlocks, (minShareOfWeek * weekMs) / blockMs),
  );
}

/**
 * Returns the test against the day of the week that is most like the window: if it matches any day,
 * nothing changed.
 */
function closestDay<M extends ReferenceMeasurement>(
  { otherDays }: Comparison,
  test: M,
  measure: (reference: TestReference) => M | null,
): M {
  return otherDays().reduce((closest, reference) => {
    const other = measure(reference);
    // A small sample matches anything.
    const isKnown =
      other &&
      other.degreesOfFreedom > 0 &&
      other.referenceRecords >= test.referenceRecords * minShareOfDay;
    return isKnown && other.statistic < closest.statistic ? other : closest;
  }, test);
}

const timesOf: Record<Cycle, string> = {
  day: ' at the same time of the day',
  week: ' at the same time of the week, or of the day most like it',
};

/**
 * Says how many records a test was compared with, for an explanation.
 *
 * @example
 * earlierRecords({ referenceRecords: 1200.2, cycle: 'day' })
 * // '1200 at the same time of the day'
 */
export function earlierRecords({
  referenceRecords,
  cycle,
}: {
  referenceRecords: number;
  cycle: Cycle | null;
}): string {
  return `${Math.round(referenceRecords)}${cycle ? timesOf[cycle] : ''}`;
}

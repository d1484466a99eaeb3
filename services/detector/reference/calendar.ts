import type { CountVector } from '../../shared/bins/countVector.ts';
import { dayMs, hourMs, weekMs } from '../../shared/duration.ts';
import type { Block } from '../blocks/block.ts';
import { mergePerformance, type WindowPerformance } from '../blocks/windowObservation.ts';

/** Cycles of the calendar that a stream may follow, in UTC. */
export const cycles = ['day', 'week'] as const;
export type Cycle = (typeof cycles)[number];

const hoursOfDay = dayMs / hourMs;
const hoursOfWeek = weekMs / hourMs;
/** Longer blocks do not show the cycle. */
const maxBlockMs: Record<Cycle, number> = { day: 8 * hourMs, week: weekMs / 2 };
/**
 * The week has a slot for each hour if blocks are at most this long, and a slot for each day if
 * they are longer.
 */
const maxBlockOfHourSlotsMs = 12 * hourMs;
/** 1970 began on a Thursday; Sunday is 0. */
const epochWeekday = 4;
/** After this many visits of a slot, everything that was counted there is halved. */
const maxVisits = 16;

/** The counts of one slot, which is one time of a cycle. */
export interface Slot {
  /**
   * How often the stream came to this time of the cycle. Neighbouring blocks in one slot are one
   * visit.
   */
  visits: number;
  /** Counts by `variableKey`. */
  variables: ReadonlyMap<string, Readonly<CountVector>>;
  performance: WindowPerformance | null;
}

/** The counts of one cycle. */
export interface CycleCounts {
  /** The slots that have been visited, by number (`slotOf`). */
  slots: ReadonlyMap<number, Slot>;
  /** The slot of the block that was added last. */
  lastSlot: number;
}

/**
 * The counts of a stream at each time of each cycle. It has at most 24 + 168 + 7 slots, each of the
 * size of a block. Never changed once made.
 */
export type Calendar = ReadonlyMap<Cycle, CycleCounts>;

/**
 * Returns the slot of a cycle in which the middle of a block lies, in UTC. The slots of the day are
 * its hours, 0 to 23. The slots of the week are its hours from Sunday on, 0 to 167, or for blocks
 * longer than 12 hours its days, 168 to 174.
 *
 * Null for a block that is too long to show the cycle (8 hours for the day, half a week for the
 * week), and for a part of a given reference, which has no time.
 *
 * @param daysLater the slot is that of a block which comes this many days later
 * @example slotOf('day', { given: false, startMs: 7_200_000, endMs: 10_800_000 }) // 2
 */
export function slotOf(
  cycle: Cycle,
  { given, startMs, endMs }: Pick<Block, 'given' | 'startMs' | 'endMs'>,
  daysLater = 0,
): number | null {
  const lengthMs = endMs - startMs;
  if (given || lengthMs > maxBlockMs[cycle]) return null;
  const hours = Math.floor((startMs + endMs) / 2 / hourMs);
  if (cycle === 'day') return modulo(hours, hoursOfDay);
  const hourOfWeek = modulo(hours + hoursOfDay * (epochWeekday + daysLater), hoursOfWeek);
  return lengthMs <= maxBlockOfHourSlotsMs
    ? hourOfWeek
    : hoursOfWeek + Math.floor(hourOfWeek / hoursOfDay);
}

/** Returns the remainder in [0, divisor), also for negative values, as before 1970. */
function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

/** Which parts of a block a calendar counts. */
export interface CountedParts {
  /** By `variableKey`. */
  variables: ReadonlySet<string>;
  /** Labels and errors. */
  performance: boolean;
}

/**
 * Returns the calendar with one more block; blocks come in the order of time. O(slots + variables ·
 * bins).
 */
export function withBlock(calendar: Calendar, block: Block, parts: CountedParts): Calendar {
  const next = new Map(calendar);
  for (const cycle of cycles) {
    const index = slotOf(cycle, block);
    if (index === null) continue;
    const known = calendar.get(cycle);
    const slot = known?.slots.get(index) ?? { visits: 0, variables: new Map(), performance: null };
    const isVisit = known?.lastSlot !== index;
    const visited = withCounts(
      isVisit && slot.visits >= maxVisits ? halved(slot) : slot,
      block,
      parts,
    );
    const visits = visited.visits + (isVisit ? 1 : 0);
    next.set(cycle, {
      slots: new Map(known?.slots).set(index, { ...visited, visits }),
      lastSlot: index,
    });
  }
  return next;
}

function withCounts(slot: Slot, block: Block, parts: CountedParts): Slot {
  const variables = new Map(slot.variables);
  for (const key of parts.variables) {
    const counts = block.variables.get(key)?.counts;
    if (!counts) continue;
    const known = variables.get(key);
    variables.set(key, known ? known.map((count, bin) => count + counts[bin]!) : counts);
  }
  const { performance } = block;
  const hasLabels = performance !== null && performance.labelled > 0;
  return {
    ...slot,
    variables,
    performance:
      hasLabels && parts.performance
        ? mergePerformance(slot.performance, performance)
        : slot.performance,
  };
}

/**
 * Returns a slot with half of everything. Counts stay whole numbers, which take little room in a
 * checkpoint.
 */
function halved({ visits, variables, performance }: Slot): Slot {
  const half = (count: number) => Math.floor(count / 2);
  return {
    visits: half(visits),
    variables: new Map([...variables].map(([key, counts]) => [key, counts.map(half)])),
    performance: performance && {
      ...performance,
      labelled: performance.labelled / 2,
      lossSum: performance.lossSum / 2,
      lossSquareSum: performance.lossSquareSum / 2,
      labelCounts: halvedCounts(performance.labelCounts),
      predictedCounts: halvedCounts(performance.predictedCounts),
      rightCounts: halvedCounts(performance.rightCounts),
    },
  };
}

function halvedCounts(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts].map(([label, count]) => [label, count / 2]));
}

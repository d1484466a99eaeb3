import type { Block } from '../blocks/block.ts';
import { mergePerformance, type WindowPerformance } from '../blocks/windowObservation.ts';

/** Cycles of the calendar that a stream may follow, in UTC. */
export const cycles = ['day', 'week'] as const;
export type Cycle = (typeof cycles)[number];

const hourMs = 3_600_000;
const hoursOfWeek = 168;
/** Longer blocks do not show the cycle. */
const longestBlockMs: Record<Cycle, number> = { day: 8 * hourMs, week: 84 * hourMs };
/** A week of blocks up to here has 168 hours, of longer ones seven days. */
const longestOfHoursMs = 12 * hourMs;
/** 1970 began on a Thursday. */
const epochWeekday = 4;
/** After so many visits of a slot all that was counted there counts half. */
const mostVisits = 16;

/** What was counted at one time of a cycle. */
export interface Slot {
  visits: number;
  /** As `VariableCounts.counts`, by `variableKey`. */
  variables: ReadonlyMap<string, readonly number[]>;
  performance: WindowPerformance | null;
}

/** The slots of a cycle that have been visited. */
export interface CycleCounts {
  slots: ReadonlyMap<number, Slot>;
  lastSlot: number;
}

/** What a stream is like at each time of each cycle. At most 24 + 168 + 7 slots, each of the size of a block. */
export type Calendar = ReadonlyMap<Cycle, CycleCounts>;

/**
 * The time of a cycle at which a block has its middle: the hour of the day, the hour of the week, or for long blocks the day of the week.
 * null of blocks that are too long to show the cycle, and of parts of a given reference, which have no time.
 *
 * @param daysLater as if the block came so many days later
 */
export function slotOf(
  cycle: Cycle,
  { given, startMs, endMs }: Pick<Block, 'given' | 'startMs' | 'endMs'>,
  daysLater = 0,
): number | null {
  const lengthMs = endMs - startMs;
  if (given || lengthMs > longestBlockMs[cycle]) return null;
  const hours = Math.floor((startMs + endMs) / 2 / hourMs);
  if (cycle === 'day') return modulo(hours, 24);
  const hourOfWeek = modulo(hours + 24 * (epochWeekday + daysLater), hoursOfWeek);
  return lengthMs <= longestOfHoursMs ? hourOfWeek : hoursOfWeek + Math.floor(hourOfWeek / 24);
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

/** What is counted: variables by key, and whether labels and errors are. */
export interface CountedParts {
  variables: ReadonlySet<string>;
  performance: boolean;
}

/** The calendar with one more block. */
export function withBlock(calendar: Calendar, block: Block, parts: CountedParts): Calendar {
  const next = new Map(calendar);
  for (const cycle of cycles) {
    const index = slotOf(cycle, block);
    if (index === null) continue;
    const known = calendar.get(cycle);
    const slot = known?.slots.get(index) ?? { visits: 0, variables: new Map(), performance: null };
    const isVisit = known?.lastSlot !== index;
    const visited = withCounts(
      isVisit && slot.visits >= mostVisits ? halved(slot) : slot,
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

/** Counts stay whole numbers, which take little room in a checkpoint. */
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
      labelCounts: new Map(
        [...performance.labelCounts].map(([label, count]) => [label, count / 2]),
      ),
    },
  };
}

import { totalCount } from '../../shared/bins/countVector.ts';
import type { Block, BlockSums } from '../blocks/block.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import { type Cycle, type CycleCounts, type Slot, slotOf } from './calendar.ts';
import type { TestReference } from './testReference.ts';

/** The weight, in records, of the assumption that a time of a cycle is like all other times. */
const priorRecords = 10;

/** The recent blocks in one slot of a cycle, and what was counted in the slot before. */
interface Visit {
  blocks: Block[];
  slot: Slot;
}

/**
 * Returns what recent blocks would be like if they were as the stream was at the same times of
 * earlier cycles, as a reference to compare them with. For a variable (and in the same way for
 * labels and losses) it is
 *
 *     e = Σ n_s (A_s + κ p) / (N_s + κ),   worth  n² / Σ (n_s² / (N_s + κ))  records,
 *
 * where n_s are the recent records in slot s and n is their sum, A_s are the counts of earlier
 * visits of the slot and N_s is their sum, p is the distribution in `plain`, and κ = 10. The worth
 * is that of a mean of independent samples with the weights n_s / n.
 *
 * Null if one of the slots was not visited before. The counts of a variable are computed only when
 * they are asked for, in O(slots · bins).
 *
 * @param plain the reference that knows no calendar
 * @param daysLater compares with the slots of blocks that come this many days later
 */
export function calendarReference(
  cycle: Cycle,
  { slots }: CycleCounts,
  recentBlocks: readonly Block[],
  plain: BlockSums,
  daysLater = 0,
): TestReference | null {
  const visits = new Map<number, Visit>();
  for (const block of recentBlocks) {
    const index = slotOf(cycle, block, daysLater);
    const slot = index === null ? undefined : slots.get(index);
    if (!slot) return null;
    const visit = visits.get(index!) ?? { blocks: [], slot };
    visit.blocks.push(block);
    visits.set(index!, visit);
  }
  const all = [...visits.values()];
  return {
    countsOf: key => expectedCounts(key, all, plain.variables.get(key)?.counts ?? []),
    performance: () => plain.performance && expectedPerformance(all, plain.performance),
  };
}

function expectedCounts(
  key: string,
  visits: readonly Visit[],
  plain: readonly number[],
): number[] | null {
  const samples = visits.map(({ blocks, slot }) => {
    const counts = slot.variables.get(key) ?? null;
    return {
      records: counts ? recordsOf(key, blocks) : 0,
      counts,
      total: counts ? totalCount(counts) : 0,
    };
  });
  return mixture(samples, plain, totalCount(plain));
}

/**
 * Returns the records of the blocks that count a variable; each record of such a block is counted
 * once.
 */
function recordsOf(key: string, blocks: readonly Block[]): number {
  let records = 0;
  for (const block of blocks) if (block.variables.has(key)) records += block.records;
  return records;
}

/** One slot. */
interface Sample {
  /** n_s: recent records. */
  records: number;
  /** A_s: counts of earlier visits; null without any. */
  counts: readonly number[] | null;
  /** N_s: records of earlier visits. */
  total: number;
}

/** Returns e, scaled to its worth; null if a slot has no counts, or there is nothing to compare. */
function mixture(
  samples: readonly Sample[],
  plain: readonly number[],
  plainTotal: number,
): number[] | null {
  let records = 0;
  for (const sample of samples) {
    if (sample.counts === null) return null;
    records += sample.records;
  }
  if (records === 0 || plainTotal === 0) return null;
  const expected = new Array<number>(plain.length).fill(0);
  let inverseWorth = 0;
  for (const { records: recent, counts, total } of samples) {
    const known = total + priorRecords;
    for (let bin = 0; bin < expected.length; bin++) {
      expected[bin]! +=
        (recent * (counts![bin]! + (priorRecords * plain[bin]!) / plainTotal)) / known;
    }
    inverseWorth += (recent * recent) / known;
  }
  const worth = (records * records) / inverseWorth;
  return expected.map(count => (count * worth) / records);
}

function expectedPerformance(
  visits: readonly Visit[],
  plain: WindowPerformance,
): WindowPerformance | null {
  const names = countedNames.map(counted => [...plain[counted].keys()]);
  // The labelled records come first among the sums, so that they become the worth.
  const vector = (performance: WindowPerformance) => [
    performance.labelled,
    performance.lossSum,
    performance.lossSquareSum,
    ...countedNames.flatMap((counted, index) =>
      names[index]!.map(name => performance[counted].get(name) ?? 0),
    ),
  ];
  const samples = visits.map(({ blocks, slot: { performance } }) => ({
    records: totalCount(blocks.map(block => block.performance?.labelled ?? 0)),
    counts: performance && vector(performance),
    total: performance?.labelled ?? 0,
  }));
  const mixed = mixture(samples, vector(plain), plain.labelled);
  if (!mixed) return null;
  const [labelled, lossSum, lossSquareSum, ...counts] = mixed as [
    number,
    number,
    number,
    ...number[],
  ];
  let at = 0;
  const next = (index: number) =>
    new Map(names[index]!.map(name => [name, counts[at++]!] as const));
  const [labelCounts, predictedCounts, rightCounts] = [next(0), next(1), next(2)];
  return {
    task: plain.task,
    labelled,
    lossSum,
    lossSquareSum,
    labelCounts,
    predictedCounts,
    rightCounts,
  };
}

const countedNames = ['labelCounts', 'predictedCounts', 'rightCounts'] as const;

import type { Block, BlockSums } from '../blocks/block.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import { type Cycle, type CycleCounts, type Slot, slotOf } from './calendar.ts';
import type { TestReference } from './testReference.ts';

/** Records' worth of belief that a time of a cycle is like all others. */
const priorRecords = 10;

/** The recent blocks that lie at one time of the cycle, and what was counted there before. */
interface Visit {
  blocks: Block[];
  slot: Slot;
}

/**
 * What recent blocks would be like if they were as the stream has been at the same times of earlier cycles, as a reference
 * to compare them with. Of a variable (and in the same way of labels and losses)
 *
 *     e = Σ n_s (A_s + κ p) / (N_s + κ),   worth  n² / Σ (n_s² / (N_s + κ))  records,
 *
 * n_s the recent records at the time s, n their sum, A_s the counts of earlier visits there, N_s their sum, p the distribution in
 * `plain`, κ = 10. The worth is that of a mean of independent samples, weighted by n_s / n.
 *
 * @param plain the reference that knows no calendar
 * @param daysLater as if the blocks came so many days later
 * @returns null as long as one of the times was not visited before; counts of a variable only when they are asked for
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
      total: counts ? total(counts) : 0,
    };
  });
  return mixture(samples, plain, total(plain));
}

/** Each record of a block is counted once per variable. */
function recordsOf(key: string, blocks: readonly Block[]): number {
  let records = 0;
  for (const block of blocks) if (block.variables.has(key)) records += block.records;
  return records;
}

function total(counts: readonly number[]): number {
  let records = 0;
  for (const count of counts) records += count;
  return records;
}

interface Sample {
  /** Recent records. */
  records: number;
  /** Of earlier visits, and their records; null without any. */
  counts: readonly number[] | null;
  total: number;
}

/** @returns null if one of the times has nothing, or nothing is to be compared */
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
  const labels = [...plain.labelCounts.keys()];
  // The labelled records are the first of the sums, so that they become the worth.
  const vector = ({ labelled, lossSum, lossSquareSum, labelCounts }: WindowPerformance) => [
    labelled,
    lossSum,
    lossSquareSum,
    ...labels.map(label => labelCounts.get(label) ?? 0),
  ];
  const samples = visits.map(({ blocks, slot: { performance } }) => ({
    records: total(blocks.map(block => block.performance?.labelled ?? 0)),
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
  return {
    task: plain.task,
    labelled,
    lossSum,
    lossSquareSum,
    labelCounts: new Map(labels.map((label, index) => [label, counts[index]!])),
  };
}

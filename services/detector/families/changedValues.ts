import { sum } from 'simple-statistics';
import { totalCount } from '../../shared/bins/countVector.ts';
import type { ChangedValue } from '../../shared/contracts.ts';
import { mostFrequentFirst } from '../../shared/mostFrequentFirst.ts';
import type { Block } from '../blocks/block.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { mergeUnseenValues } from '../blocks/unseenValues.ts';
import { valueNames } from '../blocks/valueNames.ts';
import type { VariableCounts } from '../blocks/variableCounts.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import { type Comparison, pooledCounts } from '../reference/comparison.ts';

/** Of more values that are new or gone, the most frequent ones are named. */
const maxNamedValues = 3;
/** A new value with a smaller share of the records is named only if it is the most frequent one. */
const minShareOfNew = 0.01;
/** A value with fewer records is not named. */
const minRecordsOfNew = 3;
/** A value is new or gone if it had, or has, at most this part of its share. */
const maxRemainder = 0.1;
/** A value that was replaced within a block has lost this part of its share at least. */
const minLost = 0.25;
/** A value of which fewer records are expected may be missing by chance. */
export const minExpectedOfGone = 10;
/** Standard deviations of sampling by which the shares of two names of one value may differ. */
const maxDeviations = 3;

/** Records by the names of their values; a total that also counts records without a name. */
interface NamedCounts {
  total: number;
  counts: ReadonlyMap<string, number>;
}

/** The values of a variable, or the labels, in two sets of blocks. */
interface ComparedValues {
  reference: NamedCounts;
  /** The recent blocks that count them, oldest first. */
  recent: readonly NamedCounts[];
  /** Values of the reference that may be gone. */
  known: readonly string[];
  /**
   * Returns the reference, pooled by a number of blocks: records of each known value, then of all.
   */
  pooled(blocks: number): number[][];
}

/** A value with its share of the records of some blocks. */
interface ValueShare {
  value: string;
  share: number;
  referenceShare: number;
}

/**
 * Returns the values of a variable that are new or gone, the largest change first. Values that
 * share a bin with others, and hashed ones, have no names and are left out.
 */
export function changedValuesOf(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
): ChangedValue[] {
  const { recentBlocks, referenceBlocks, reference } = comparison;
  const names = valueNames(frozen);
  const sums = reference.variables.get(key);
  if (!sums) return [];
  const countsOf = ({ variables }: Block) => variables.get(key);
  // Of the values without a bin only the most frequent ones are counted in each block, so that
  // others may seem to be gone.
  const known = names.filter(name => name !== null);
  const unseen = referenceBlocks
    .map(block => countsOf(block)?.unseen)
    .reduce((merged, ofBlock) => mergeUnseenValues(merged, ofBlock), undefined);
  const found = changedValues({
    reference: namedCounts({ counts: sums.counts, unseen }, names),
    recent: recentBlocks.flatMap(block => {
      const counts = countsOf(block);
      return counts ? [namedCounts(counts, names)] : [];
    }),
    known,
    pooled: blocks =>
      pooledCounts(referenceBlocks, blocks, block => {
        const counts = countsOf(block)?.counts;
        return counts
          ? [
              ...counts.slice(0, names.length).filter((_, bin) => names[bin] !== null),
              totalCount(counts),
            ]
          : null;
      }),
  });
  return found.map(value => ({ kind: frozen.kind, name: frozen.name, ...value }));
}

/** Returns the classes that are new among the labels, or gone from them. */
export function changedLabels({
  recentBlocks,
  referenceBlocks,
  reference,
}: Comparison): ChangedValue[] {
  const countsOf = (performance: WindowPerformance) => ({
    total: performance.labelled,
    counts: performance.labelCounts,
  });
  if (!reference.performance) return [];
  const known = [...reference.performance.labelCounts.keys()];
  const found = changedValues({
    reference: countsOf(reference.performance),
    recent: recentBlocks.flatMap(({ performance }) => (performance ? [countsOf(performance)] : [])),
    known,
    pooled: blocks =>
      pooledCounts(
        referenceBlocks,
        blocks,
        ({ performance }) =>
          performance && [
            ...known.map(name => performance.labelCounts.get(name) ?? 0),
            performance.labelled,
          ],
      ),
  });
  return found.map(value => ({ kind: 'label' as const, name: 'label', ...value }));
}

function namedCounts(
  { counts, unseen }: Pick<VariableCounts, 'counts' | 'unseen'>,
  names: readonly (string | null)[],
): NamedCounts {
  const named = new Map(unseen);
  for (const [bin, name] of names.entries()) if (name !== null) named.set(name, counts[bin]!);
  return { total: totalCount(counts), counts: named };
}

/**
 * Returns the values that are new or gone. A new value was at most a tenth as frequent in the
 * reference as since it came. A value is gone if the last blocks do not have it, although ten of
 * their records should, and if as many records of the reference always had it.
 *
 * Two values are taken for one that was renamed if one lost about as much as the other has, since
 * it came: more than three standard deviations of sampling, a quarter of its share at least, and as
 * much as the other has within three standard deviations. If a third value fits, too, none is
 * taken. Two unrelated values may do so by chance, so it is no more than a hint.
 */
function changedValues(values: ComparedValues): Omit<ChangedValue, 'kind' | 'name'>[] {
  const { reference, recent } = values;
  if (reference.total === 0 || recent.length === 0) return [];
  const arrived = newValues(reference, recent);
  const renamed = renamedValues(arrived, values);
  const lost = goneValues(values);
  // A value that was replaced within the last block is not gone yet.
  for (const from of renamed.values())
    if (!lost.some(({ value }) => value === from.value)) lost.push(from);
  return [
    ...arrived.map(({ value, share, referenceShare }) => ({
      value,
      share,
      referenceShare,
      renamedFrom: renamed.get(value)?.value ?? null,
    })),
    ...lost.map(one => ({ ...one, renamedFrom: null })),
  ];
}

interface NewValue extends ValueShare {
  /** The recent blocks since it came. */
  since: readonly NamedCounts[];
}

function newValues(reference: NamedCounts, recent: readonly NamedCounts[]): NewValue[] {
  const whole = added(recent);
  const found = mostFrequentFirst(whole.counts).flatMap(([value, count]): NewValue[] => {
    if (count < minRecordsOfNew) return [];
    const first = recent.findIndex(({ counts }) => (counts.get(value) ?? 0) > 0);
    const since = recent.slice(first);
    const share = shareOf(added(since), value);
    const referenceShare = shareOf(reference, value);
    return referenceShare <= maxRemainder * share ? [{ value, share, referenceShare, since }] : [];
  });
  return found
    .filter(({ share }, rank) => rank === 0 || share >= minShareOfNew)
    .slice(0, maxNamedValues);
}

function goneValues({ reference, recent, known, pooled }: ComparedValues): ValueShare[] {
  const gone = known.flatMap((value, index): ValueShare[] => {
    const last = recent.findLastIndex(({ counts }) => (counts.get(value) ?? 0) > 0);
    const since = recent.slice(last + 1);
    const records = sum(since.map(({ total }) => total));
    const referenceShare = shareOf(reference, value);
    if (records * referenceShare < minExpectedOfGone) return [];
    const isUsual = pooled(since.length).some(
      counts => counts[index] === 0 && counts.at(-1)! >= records / 2,
    );
    return isUsual ? [] : [{ value, share: 0, referenceShare }];
  });
  gone.sort((left, right) => right.referenceShare - left.referenceShare);
  return gone.slice(0, maxNamedValues);
}

/** Returns for each new value the one that it seems to have been before. */
function renamedValues(
  arrived: readonly NewValue[],
  { reference, known }: ComparedValues,
): Map<string, ValueShare> {
  const pairs = arrived.flatMap(one => {
    const now = added(one.since);
    const fitting = known
      .map(value => ({
        value,
        share: shareOf(now, value),
        referenceShare: shareOf(reference, value),
      }))
      .filter(from => isReplaced(from, one, now.total, reference.total));
    return fitting.length === 1 ? [{ to: one.value, from: fitting[0]! }] : [];
  });
  const candidates = Map.groupBy(pairs, ({ from }) => from.value);
  return new Map(
    pairs.flatMap(({ to, from }) =>
      candidates.get(from.value)!.length === 1 ? [[to, from] as const] : [],
    ),
  );
}

function isReplaced(
  { share, referenceShare }: ValueShare,
  { share: shareOfNew }: ValueShare,
  records: number,
  referenceRecords: number,
): boolean {
  const lost = referenceShare - share;
  if (lost < minLost * referenceShare || records * referenceShare < minExpectedOfGone) return false;
  const ofRecord = Math.sqrt(referenceShare * (1 - referenceShare));
  const tolerated = maxDeviations * ofRecord * Math.sqrt(1 / records + 1 / referenceRecords);
  return lost > tolerated && Math.abs(shareOfNew - lost) <= tolerated;
}

function added(parts: readonly NamedCounts[]): NamedCounts {
  const counts = new Map<string, number>();
  let total = 0;
  for (const part of parts) {
    total += part.total;
    for (const [value, count] of part.counts) counts.set(value, (counts.get(value) ?? 0) + count);
  }
  return { total, counts };
}

function shareOf({ total, counts }: NamedCounts, value: string): number {
  return total > 0 ? (counts.get(value) ?? 0) / total : 0;
}

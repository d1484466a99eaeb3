import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { VectorSums } from '../../shared/profile/vectorSummary.ts';

/** How vectors vary by chance along an axis: some draws of a variable with mean 0. */
export interface AlongAxis {
  draws: number;
  /** The sum of their squares, so that squares / draws is the variance of a vector along the axis. */
  squares: number;
}

/** Fewer vectors in a group show no mean. */
const minGroupVectors = 5;
/** More draws do not help to learn in how many directions vectors vary. */
const maxDraws = 30;
/** Fewer draws do not show it. */
const minDraws = 10;
/** Of more parts without groups, only the last ones are looked at. */
const maxParts = 20;

/**
 * Returns differences between the means of groups of records of one window, three for four groups,
 * each scaled so that it varies as one vector does. They are independent of each other, and vary by
 * nothing but the chance of which records are in which group, however much windows differ. None
 * where groups are unknown or small. O(groups · dimension).
 *
 * With means x of n vectors of a group and y of m vectors of the groups before it, a difference is
 * √(n m / (n + m)) (x − y) (Helmert contrasts).
 */
function chanceDraws({ groups }: VectorSums): Float64Array[] {
  if (!groups || groups.some(({ count }) => count < minGroupVectors)) return [];
  const [first, ...others] = groups;
  const before = { count: first!.count, sum: first!.sum.slice() };
  return others.map(({ count, sum }) => {
    const scale = Math.sqrt((count * before.count) / (count + before.count));
    const draw = sum.map((number, at) => scale * (number / count - before.sum[at]! / before.count));
    for (let at = 0; at < sum.length; at++) before.sum[at]! += sum[at]!;
    before.count += count;
    return draw;
  });
}

/** Returns how the vectors of a window vary by chance along an axis. O(groups · dimension). */
export function chanceAlong(sums: VectorSums, axis: ArrayLike<number>): AlongAxis {
  const draws = chanceDraws(sums);
  return {
    draws: draws.length,
    squares: draws.reduce((sum, draw) => sum + product(draw, axis) ** 2, 0),
  };
}

/**
 * Returns in how many directions vectors vary about equally by chance, (tr Σ)² / tr(Σ²) for their
 * covariance Σ; at least 1.
 *
 * tr(Σ²) is the mean of the squared products of pairs of draws (`chanceDraws`). From P pairs it is
 * known to about √(2 / P) of itself, and the result is lowered by as much, because it is the larger
 * results that alarm too often. O(draws² · dimension).
 *
 * Without groups the differences of the means of whole parts take the place of the draws. They also
 * hold what moves from part to part, so that the result is halved.
 *
 * @param parts of a reference
 */
export function effectiveDimension(parts: readonly FeatureProfile[], dimension: number): number {
  const sums = parts.flatMap(({ vectors }) => vectors?.byDimension.get(dimension) ?? []);
  const draws = sums.toReversed().flatMap(chanceDraws).slice(0, maxDraws);
  return draws.length < Math.max(minDraws, sums.length / 2)
    ? dimensionOfParts(sums.slice(-maxParts))
    : dimensionOfDraws([draws], pairs => 1 + Math.sqrt(2 / pairs));
}

function dimensionOfParts(sums: readonly VectorSums[]): number {
  const means = sums.map(({ count, sum }) => ({ count, mean: sum.map(number => number / count) }));
  const shifts = means.map((_, index) => index).filter(index => index % 2 === 1);
  return dimensionOfDraws(
    shifts.map(shift => roundOf(means, shift)),
    () => 2,
  );
}

/**
 * @param rounds of draws; those of one round are independent of each other
 * @param caution divisor for a number of pairs
 */
function dimensionOfDraws(
  rounds: readonly (readonly Float64Array[])[],
  caution: (pairs: number) => number,
): number {
  let squares = 0;
  let pairs = 0;
  let traces = 0;
  let draws = 0;
  for (const round of rounds) {
    for (let left = 0; left < round.length; left++) {
      traces += product(round[left]!, round[left]!);
      draws += 1;
      for (let right = 0; right < left; right++) {
        squares += product(round[left]!, round[right]!) ** 2;
        pairs += 1;
      }
    }
  }
  if (pairs === 0 || squares === 0) return 1;
  return Math.max(1, (traces / draws) ** 2 / (squares / pairs) / caution(pairs));
}

interface PartMean {
  count: number;
  mean: Float64Array;
}

/** Returns differences of disjoint pairs of parts that lie `shift` apart. */
function roundOf(means: readonly PartMean[], shift: number): Float64Array[] {
  const used = new Set<number>();
  const differences: Float64Array[] = [];
  for (let index = 0; index + shift < means.length; index++) {
    if (used.has(index) || used.has(index + shift)) continue;
    used.add(index).add(index + shift);
    const left = means[index]!;
    const right = means[index + shift]!;
    const scale = Math.sqrt(1 / left.count + 1 / right.count);
    differences.push(left.mean.map((number, at) => (number - right.mean[at]!) / scale));
  }
  return differences;
}

function product(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += left[index]! * right[index]!;
  return sum;
}

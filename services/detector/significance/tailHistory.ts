import { bisect } from '../../shared/statistics/bisect.ts';

/**
 * The p-values that a family has reached on this stream by chance: a histogram of −ln p over past
 * blocks at one scale, in bins of width 1. The last bin holds everything from 40 on. It stays
 * small, whatever the length of the stream. Never changed once made.
 */
export type TailHistory = Float64Array;

const binCount = 41;
/** Each block counts for 1 / 256 less with every further block, once there are 256. */
const rememberedBlocks = 256;
/** Fewer blocks show no tail. */
const minBlocks = 30;
/** The tail is the highest tenth. */
const tailShare = 0.1;
/**
 * Weight, in excesses, of the assumption that p-values are calibrated, so that −ln p exceeds any
 * level by 1 on average.
 */
const priorExcesses = 60;
/** exp(−700) is nearly the smallest double. */
const maxNegativeLogP = 700;

/** The tail of a family that was never tested. */
export const noTail: TailHistory = new Float64Array(binCount);

/**
 * Returns a tail with the p-value of one more block. O(bins).
 *
 * @param logPValue natural logarithm, at most 0
 */
export function withLogPValue(tail: TailHistory, logPValue: number): TailHistory {
  const blocks = blocksOf(tail);
  const next =
    blocks >= rememberedBlocks
      ? tail.map(count => count * (1 - 1 / rememberedBlocks))
      : tail.slice();
  next[Math.min(binCount - 1, Math.floor(-logPValue))]! += 1;
  return next;
}

function blocksOf(tail: TailHistory): number {
  return tail.reduce((total, count) => total + count, 0);
}

/**
 * Returns the p-value that a family has to reach so that it alarms by chance with probability
 * `level`, given the p-values that it reached by chance before. It is at most `level`, and `level`
 * itself where the stream is sampling noise, because p is then exceeded as often as it says. Where
 * the stream is ordered, −ln p is taken to exceed L with a probability of at least
 *
 *     P(−ln p > L) = 0.1 (1 + (L − u) / S)^−(r + 60),   S = max(60 + x, r + 60)
 *
 * for L > u. u is the 0.9-quantile of −ln p, at least ln 10; x is the sum of the excesses over u
 * and r their number, both divided by the scale, because blocks of a larger scale overlap. The two
 * probabilities are weighted by `noiseWeight`.
 *
 * O(bins), and about 45 steps where the stream may be ordered. Source: Pickands, Annals of
 * Statistics 3(1), 1975, pp. 119-131 (the tail is a generalised Pareto distribution), with a gamma
 * prior for its scale.
 *
 * @param tail undefined if nothing is known, which leaves the assumption that p-values are
 * calibrated
 * @param noiseWeight probability that the stream is sampling noise between changes
 * @param level in (0, 1)
 * @example levelOfFamily(undefined, 1, 0, 1e-4) // 6.61e-5
 */
export function levelOfFamily(
  tail: TailHistory | undefined,
  scale: number,
  noiseWeight: number,
  level: number,
): number {
  const chance = chanceOf(tail ?? noTail, scale);
  const alarmAt = (negativeLogP: number) => {
    const pValue = Math.exp(-negativeLogP);
    return noiseWeight * pValue + (1 - noiseWeight) * Math.max(pValue, chance(negativeLogP));
  };
  const lowest = -Math.log(level);
  if (alarmAt(lowest) <= level) return level;
  const isBelow = (negativeLogP: number) => alarmAt(negativeLogP) > level;
  return Math.exp(-bisect(isBelow, lowest, maxNegativeLogP));
}

/** Returns P(−ln p > L) as a function of L. */
function chanceOf(tail: TailHistory, scale: number): (negativeLogP: number) => number {
  const blocks = blocksOf(tail);
  let threshold = -Math.log(tailShare);
  let excess = 0;
  if (blocks >= minBlocks) {
    threshold = Math.max(threshold, quantile(tail, blocks * (1 - tailShare)));
    for (const [bin, count] of tail.entries()) excess += count * Math.max(0, bin + 0.5 - threshold);
  }
  const exponent = priorExcesses + (blocks >= minBlocks ? (tailShare * blocks) / scale : 0);
  const spread = Math.max(priorExcesses + excess / scale, exponent);
  return negativeLogP =>
    negativeLogP > threshold
      ? tailShare * (1 + (negativeLogP - threshold) / spread) ** -exponent
      : 1;
}

/**
 * Returns the −ln p below which `rank` blocks lie, if the blocks of a bin are spread evenly over
 * it.
 */
function quantile(tail: TailHistory, rank: number): number {
  let below = 0;
  for (const [bin, count] of tail.entries()) {
    if (below + count >= rank) return bin + (rank - below) / count;
    below += count;
  }
  return tail.length;
}

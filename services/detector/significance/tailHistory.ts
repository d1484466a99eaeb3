import { bisect } from '../../shared/statistics/bisect.ts';

/**
 * How small a family's p-values become on this stream anyway: −ln p of past blocks at one scale, counted in bins of one, which
 * the last one closes. Counts, so that it stays small.
 */
export type TailHistory = Float64Array;

const binCount = 41;
const rememberedBlocks = 256;
const fewestBlocks = 30;
/** The tail is the highest tenth. */
const tailShare = 0.1;
/** Excesses' worth of belief in p-values that are what they say, whose −ln p exceed any level by 1 on average. */
const priorExcesses = 60;
const bisections = 60;
const largestLogOdds = 700;

export const noTail: TailHistory = new Float64Array(binCount);

export function withLogPValue(tail: TailHistory, logPValue: number): TailHistory {
  const blocks = tail.reduce((total, count) => total + count, 0);
  const next =
    blocks >= rememberedBlocks
      ? tail.map(count => count * (1 - 1 / rememberedBlocks))
      : tail.slice();
  next[Math.min(binCount - 1, Math.floor(-logPValue))]! += 1;
  return next;
}

/**
 * The p-value that a family has to reach so that it alarms by chance at `level`, given what it has reached by chance before:
 * p itself if the stream is sampling noise, of which `noiseWeight` is the probability; if not, at the least
 *
 *     P(−ln p > L) = 0.1 (1 + (L − u) / S)^−(r + 60),   S = max(60 + x, r + 60),
 *
 * u the 0.9-quantile of −ln p, at least ln 10; x the sum of the excesses over u and r their number, each divided by the scale,
 * since blocks of a scale overlap. Source: Pickands, Annals of Statistics 3(1), 1975 (the tail is a generalised Pareto one), with a
 * gamma prior for its scale.
 */
export function levelOfFamily(
  tail: TailHistory | undefined,
  scale: number,
  noiseWeight: number,
  level: number,
): number {
  const chance = chanceOf(tail ?? noTail, scale);
  const alarmAt = (logOdds: number) => {
    const pValue = Math.exp(-logOdds);
    return noiseWeight * pValue + (1 - noiseWeight) * Math.max(pValue, chance(logOdds));
  };
  const lowest = -Math.log(level);
  if (alarmAt(lowest) <= level) return level;
  return Math.exp(-bisect(logOdds => alarmAt(logOdds) > level, lowest, largestLogOdds, bisections));
}

function chanceOf(tail: TailHistory, scale: number): (logOdds: number) => number {
  const blocks = tail.reduce((total, count) => total + count, 0);
  let threshold = -Math.log(tailShare);
  let excess = 0;
  if (blocks >= fewestBlocks) {
    threshold = Math.max(threshold, quantile(tail, blocks * (1 - tailShare)));
    for (const [bin, count] of tail.entries()) excess += count * Math.max(0, bin + 0.5 - threshold);
  }
  const exponent = priorExcesses + (blocks >= fewestBlocks ? (tailShare * blocks) / scale : 0);
  const spread = Math.max(priorExcesses + excess / scale, exponent);
  return logOdds =>
    logOdds > threshold ? tailShare * (1 + (logOdds - threshold) / spread) ** -exponent : 1;
}

function quantile(tail: TailHistory, rank: number): number {
  let below = 0;
  for (const [bin, count] of tail.entries()) {
    if (below + count >= rank) return bin + (rank - below) / count;
    below += count;
  }
  return tail.length;
}

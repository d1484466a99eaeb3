import { logChiSquaredSurvival } from '../../shared/statistics/chiSquaredSurvival.ts';
import { logFisherSurvival } from '../../shared/statistics/fisherSurvival.ts';
import { scaleIndex, scales } from '../reference/comparison.ts';
import {
  type Measurement,
  minHistoryBlocks,
  type StatisticHistory,
  tiny,
} from './statisticHistory.ts';

/**
 * Weight, in blocks, of the assumption of dispersion 1 where the stream is ordered: small, because
 * its blocks differ.
 */
const priorBlocks = 2;
/** Weight, in blocks, of the assumption of dispersion 1 where the stream is sampling noise. */
const priorNoiseBlocks = 20;
/** Weight, in blocks, of the shape that the dispersion alone suggests. */
const priorShapeBlocks = 10;
/** Share of the deviation of sampling noise that counts as wandering along one axis. */
const noiseShare = 0.25;
/** Blocks that tell of wandering along one axis are worth at most this many. */
const maxKnownBlocks = 10;

/**
 * The null model of a statistic: what is known about its distribution on this stream while nothing
 * changes.
 */
export interface NullModel {
  /**
   * The past of the statistic, in the order of `scales`; empty if nothing is known.
   */
  history: readonly StatisticHistory[];
  /** The probability that the statistic varies by nothing but sampling noise between changes. */
  noiseWeight: number;
  /** φ that is expected at the smallest scale; 1 if nothing is known of shorter blocks. */
  priorDispersion: number;
}

export interface Judgement {
  /** In [0, 1]; 0 below 1e-308. */
  pValue: number;
  /** The natural logarithm of the p-value, which tells apart p-values that are 0 as numbers. */
  logPValue: number;
  /**
   * The divisor of the statistic that makes it one of independent records, at least 1.
   */
  overdispersion: number;
}

/**
 * Returns whether a statistic varies by more than sampling noise even between changes, more
 * probably than not. The stream is then called *ordered*, because it mostly is so when neighbouring
 * records are alike.
 *
 * @example isOrdered(0.2) // true
 */
export function isOrdered(noiseWeight: number): boolean {
  return noiseWeight < 0.5;
}

/**
 * Returns the p-value of a statistic on this stream: the mean of its p-value if the stream is
 * sampling noise between changes, and of its p-value if the stream is ordered.
 *
 *     p = w P(χ²_d > G / φ₀) + (1 − w) P(F(v, v (m + 2)) > G / (d φ))
 *
 * - w is the probability of sampling noise (`noiseWeight`), G the statistic and d its degrees of
 *   freedom.
 * - φ₀ = max(1, (Σ min(G, 3 d) + 20 d) / (Σ E min(χ²_d, 3 d) + 20 d)) is the dispersion under
 *   sampling noise, with sums over the history.
 * - φ is the mean of G / d over the history, which is worth m = blocks / scale independent blocks.
 *   It is shrunken by two blocks towards the φ of the next smaller scale (of the smallest: the prior
 *   one), and at least 1. The part that exceeds 1 grows with the number of records.
 * - A statistic whose excess lies along one axis has another p-value under an ordered stream
 *   (`logWanderedSurvival`).
 * - v = 2 / (squared coefficient of variation of G / d) is the shape, at most d.
 *
 * The p-value falls as the statistic rises. It is 1 without degrees of freedom. Under an ordered
 * stream it is 1 as long as fewer than eight blocks are known. O(1): about two continued fractions.
 *
 * Sources: McCullagh, Nelder, Generalized Linear Models, 2nd ed., 1989, section 4.5; Satterthwaite,
 * Biometrics Bulletin 2(6), 1946, pp. 110-114, for v; Smyth, Statistical Applications in Genetics
 * and Molecular Biology 3(1), 2004, for a learned dispersion.
 *
 * @param scale one of `scales`
 * @param ownHistory false while the reference is too short to show how the stream itself varies
 * @example
 * const measured = { statistic: 16.92, degreesOfFreedom: 9, size: 100 };
 * judge({ history: [], noiseWeight: 1, priorDispersion: 1 }, measured, 1, false).pValue // 0.05
 */
export function judge(
  significance: NullModel,
  measured: Measurement,
  scale: number,
  ownHistory: boolean,
): Judgement {
  const { history, noiseWeight } = significance;
  const { statistic, degreesOfFreedom } = measured;
  if (degreesOfFreedom === 0) return { pValue: 1, logPValue: 0, overdispersion: 1 };
  const noise = noiseDispersion(history[scaleIndex(scale)], degreesOfFreedom);
  const logNoise = logChiSquaredSurvival(statistic / noise, degreesOfFreedom);
  const learned = learnedDispersion(significance, measured, scale);
  const logOwn = ownHistory && learned ? logOwnSurvival(measured, learned) : 0;
  const logPValue = Math.min(0, logMean(logNoise, logOwn, noiseWeight));
  const overdispersion = noiseWeight * noise + (1 - noiseWeight) * (learned?.dispersion ?? noise);
  return { pValue: Math.exp(logPValue), logPValue, overdispersion };
}

/** Returns the logarithm of the p-value under an ordered stream. */
function logOwnSurvival(measured: Measurement, learned: LearnedDispersion): number {
  if (measured.alongOneAxis) return logWanderedSurvival(measured, learned);
  const { statistic, degreesOfFreedom } = measured;
  const { dispersion, shape, worth } = learned;
  return logFisherSurvival(
    statistic / degreesOfFreedom / dispersion,
    shape,
    Math.max(2, shape * (worth + priorBlocks)),
  );
}

/**
 * Returns the same for a statistic whose excess lies along one axis. It may have many degrees of
 * freedom d, of which sampling noise uses all, so that G / d exceeds 1 by little; but what moves the
 * stream from block to block uses one, so that it varies as a square. With s = √(2 / d), the
 * standard deviation of G / d under noise,
 *
 *     p = P(F(1, min(m + 2, 10)) > (G / d − 1) / (φ − 1 + s (1/4 + 2 / √(m + 2))))
 *
 * because φ − 1 is known to about s / √m. With the quarter of s, noise alone exceeds no level down
 * to 1e-5 more often than it should. For d = 1 noise itself is a square, and the last term is G / φ.
 * Ten: the shares of topics have heavier tails than a normal variable.
 */
function logWanderedSurvival(
  { statistic, degreesOfFreedom }: Measurement,
  { dispersion, worth }: LearnedDispersion,
): number {
  const known = worth + priorBlocks;
  const freedom = Math.min(known, maxKnownBlocks);
  if (degreesOfFreedom === 1) return logFisherSurvival(statistic / dispersion, 1, freedom);
  const excess = statistic / degreesOfFreedom - 1;
  if (excess <= 0) return 0;
  const deviation = Math.sqrt(2 / degreesOfFreedom);
  const expected = dispersion - 1 + deviation * (noiseShare + 2 / Math.sqrt(known));
  return logFisherSurvival(excess / expected, 1, freedom);
}

/** Returns the judgement of a test for a change in one direction: half of the p-value. */
export function oneSided(judgement: Judgement): Judgement {
  return { ...judgement, pValue: judgement.pValue / 2, logPValue: judgement.logPValue - Math.LN2 };
}

/** Returns φ₀. */
function noiseDispersion(history: StatisticHistory | undefined, degreesOfFreedom: number): number {
  if (!history) return 1;
  const prior = priorNoiseBlocks * degreesOfFreedom;
  return Math.max(1, (history.noiseSum + prior) / (history.noiseDegrees + prior));
}

interface LearnedDispersion {
  dispersion: number;
  shape: number;
  worth: number;
}

/** Returns φ, v and m; null while fewer than eight blocks are known at the scale. */
function learnedDispersion(
  { history, priorDispersion }: NullModel,
  { degreesOfFreedom, size }: Measurement,
  scale: number,
): LearnedDispersion | null {
  let smaller = priorDispersion;
  for (const [index, known] of history.entries()) {
    const worth = known.blocks / scales[index]!;
    const mean = shrunkenMean(known.sum / scales[index]!, worth, smaller);
    smaller = mean;
    if (scales[index] !== scale) continue;
    if (known.blocks < minHistoryBlocks) return null;
    const dispersion = 1 + ((mean - 1) * size * known.blocks) / Math.max(known.sizeSum, tiny);
    return { dispersion, shape: shapeOf(known, worth, dispersion, degreesOfFreedom), worth };
  }
  return null;
}

/** Returns the φ at the largest scale, which is the least to expect of longer blocks. */
export function dispersionOfLongest({ history, priorDispersion }: NullModel): number {
  return history.reduce(
    (smaller, { blocks, sum }, index) =>
      shrunkenMean(sum / scales[index]!, blocks / scales[index]!, smaller),
    priorDispersion,
  );
}

function shrunkenMean(sum: number, worth: number, smaller: number): number {
  return Math.max(1, (sum + priorBlocks * smaller) / (worth + priorBlocks));
}

/** Returns v. */
function shapeOf(
  { blocks, sum, squareSum }: StatisticHistory,
  worth: number,
  dispersion: number,
  degreesOfFreedom: number,
): number {
  const suggested =
    (dispersion * dispersion * degreesOfFreedom) /
    (1 + (dispersion - 1) * (dispersion - 1) * degreesOfFreedom);
  const mean = sum / blocks;
  const rootMeanSquare = Math.sqrt(squareSum / blocks);
  // In this form the squares of very small numbers, which are 0, do no harm.
  const variation = mean > 0 ? Math.max(0, (rootMeanSquare / mean) ** 2 - 1) : 0;
  const shrunken =
    (worth * variation + (priorShapeBlocks * 2) / suggested) / (worth + priorShapeBlocks);
  return Math.min(degreesOfFreedom, 2 / (shrunken + tiny));
}

/**
 * Returns how large G / d has to be to stand out, relative to its value under sampling noise
 * against an endless reference. Of two references, the one with the smaller ratio shows smaller
 * changes.
 *
 *     φ (1 + n / m) (1 + √(2 / v) + √(2 / (v (m′ + 2))))
 *
 * for n recent and m earlier records: one standard deviation of G / d itself and one of φ, which
 * was learned from m′ blocks.
 *
 * @param minBlocks blocks of history below which nothing can be said
 * @returns Infinity below that, and without degrees of freedom
 */
export function detectableRatio(
  significance: NullModel,
  measured: Measurement & { records: number; referenceRecords: number },
  scale: number,
  minBlocks: number,
): number {
  const known = significance.history[scaleIndex(scale)];
  const learned = learnedDispersion(significance, measured, scale);
  if (!learned || known!.blocks < minBlocks || measured.degreesOfFreedom === 0)
    return Number.POSITIVE_INFINITY;
  const { dispersion, shape, worth } = learned;
  return (
    dispersion *
    (1 + measured.records / measured.referenceRecords) *
    (1 + Math.sqrt(2 / shape) + Math.sqrt(2 / (shape * (worth + priorBlocks))))
  );
}

/** Returns ln (w exp(left) + (1 − w) exp(right)). */
function logMean(left: number, right: number, weight: number): number {
  const one = Math.log(weight) + left;
  const other = Math.log1p(-weight) + right;
  const larger = Math.max(one, other);
  if (larger === Number.NEGATIVE_INFINITY) return larger;
  return larger + Math.log(Math.exp(one - larger) + Math.exp(other - larger));
}

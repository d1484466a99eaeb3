import { logChiSquaredSurvival } from '../../shared/statistics/chiSquaredSurvival.ts';
import { logFisherSurvival } from '../../shared/statistics/fisherSurvival.ts';
import { scales } from '../reference/comparison.ts';
import { fewestBlocks, type Measurement, type StatisticHistory } from './statisticHistory.ts';

/** Blocks' worth of belief in dispersion 1: weak where the stream is ordered, strong where it is noise. */
const priorBlocks = 2;
const priorNoiseBlocks = 20;
/** Blocks' worth of belief in the shape that the dispersion itself suggests. */
const priorShapeBlocks = 10;

/** What a statistic means on this stream: its history at each scale, and how sure it is that there is nothing but noise. */
export interface Significance {
  /** By scale, as in `scales`. */
  history: readonly StatisticHistory[];
  /** Probability that the statistic varies as sampling noise does, between changes. */
  noiseWeight: number;
}

export interface Judgement {
  pValue: number;
  logPValue: number;
  /** What the statistic is divided by before it is taken for one of independent records. */
  overdispersion: number;
}

/**
 * The p-value of a statistic: the mean of what it is if the stream is sampling noise between changes, and if it is not,
 *
 *     p = w P(χ²_d > G / φ₀) + (1 − w) P(F(v, v (m + 2)) > G / (d φ)),
 *
 * w the probability of the former. φ₀ = max(1, (Σ G + 20 d) / (Σ d + 20 d)) over the history. φ is the mean of G / d over the
 * history, worth m = blocks / scale independent ones, shrunken by two of them towards that of the next smaller scale, and at
 * least 1; what exceeds 1 grows with the number of records. v = 2 / (squared coefficient of variation of G / d), at most d.
 *
 * Sources: McCullagh, Nelder, Generalized Linear Models, 2nd ed., section 4.5; Satterthwaite, Biometrics Bulletin 2(6), 1946,
 * for v; Smyth, Statistical Applications in Genetics and Molecular Biology 3(1), 2004, for a learned dispersion.
 *
 * @param ownHistory false while the reference is too short to say what the stream itself does
 */
export function judge(
  significance: Significance,
  measured: Measurement,
  scale: number,
  ownHistory: boolean,
): Judgement {
  const { history, noiseWeight } = significance;
  const { statistic, degreesOfFreedom } = measured;
  if (degreesOfFreedom === 0) return { pValue: 1, logPValue: 0, overdispersion: 1 };
  const noise = noiseDispersion(
    history[scales.indexOf(scale as (typeof scales)[number])],
    degreesOfFreedom,
  );
  const logNoise = logChiSquaredSurvival(statistic / noise, degreesOfFreedom);
  const learned = learnedDispersion(significance, measured, scale);
  const logOwn =
    ownHistory && learned
      ? logFisherSurvival(
          statistic / degreesOfFreedom / learned.dispersion,
          learned.shape,
          Math.max(2, learned.shape * (learned.worth + priorBlocks)),
        )
      : 0;
  const logPValue = Math.min(0, logMean(logNoise, logOwn, noiseWeight));
  const overdispersion = noiseWeight * noise + (1 - noiseWeight) * (learned?.dispersion ?? noise);
  return { pValue: Math.exp(logPValue), logPValue, overdispersion };
}

function noiseDispersion(history: StatisticHistory | undefined, degreesOfFreedom: number): number {
  if (!history) return 1;
  const prior = priorNoiseBlocks * degreesOfFreedom;
  return Math.max(1, (history.noiseSum + prior) / (history.noiseDegrees + prior));
}

function learnedDispersion(
  { history }: Significance,
  { degreesOfFreedom, size }: Measurement,
  scale: number,
): { dispersion: number; shape: number; worth: number } | null {
  let smaller = 1;
  for (const [index, known] of history.entries()) {
    const worth = known.blocks / scales[index]!;
    const mean = Math.max(
      1,
      (known.sum / scales[index]! + priorBlocks * smaller) / (worth + priorBlocks),
    );
    smaller = mean;
    if (scales[index] !== scale) continue;
    if (known.blocks < fewestBlocks) return null;
    const dispersion = 1 + ((mean - 1) * size * known.blocks) / Math.max(known.sizeSum, 1e-9);
    return { dispersion, shape: shapeOf(known, worth, dispersion, degreesOfFreedom), worth };
  }
  return null;
}

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
  // In this form squares of the smallest numbers, which are 0, do no harm.
  const variation = mean > 0 ? Math.max(0, (rootMeanSquare / mean) ** 2 - 1) : 0;
  const shrunken =
    (worth * variation + (priorShapeBlocks * 2) / suggested) / (worth + priorShapeBlocks);
  return Math.min(degreesOfFreedom, 2 / (shrunken + 1e-9));
}

/**
 * How many times as large as under sampling noise against an endless reference G / d has to be to stand out: φ (1 + n / m), by two
 * deviations, that of G / d itself and that of φ. Of two references the one where less stands out shows smaller changes.
 *
 * @param blocks of history without which nothing can be said
 * @returns Infinity without them
 */
export function detectableRatio(
  significance: Significance,
  measured: Measurement & { records: number; referenceRecords: number },
  scale: number,
  blocks: number,
): number {
  const known = significance.history[scales.indexOf(scale as (typeof scales)[number])];
  const learned = learnedDispersion(significance, measured, scale);
  if (!learned || known!.blocks < blocks || measured.degreesOfFreedom === 0)
    return Number.POSITIVE_INFINITY;
  const { dispersion, shape, worth } = learned;
  return (
    dispersion *
    (1 + measured.records / measured.referenceRecords) *
    (1 + Math.sqrt(2 / shape) + Math.sqrt(2 / (shape * (worth + priorBlocks))))
  );
}

/** ln (w exp(left) + (1 − w) exp(right)). */
function logMean(left: number, right: number, weight: number): number {
  const one = Math.log(weight) + left;
  const other = Math.log1p(-weight) + right;
  const larger = Math.max(one, other);
  if (larger === Number.NEGATIVE_INFINITY) return larger;
  return larger + Math.log(Math.exp(one - larger) + Math.exp(other - larger));
}

import { sum } from 'simple-statistics';
import { minExpected } from './poolSparseBins.ts';

/** With two bins the trend is the likelihood ratio of all bins. */
const minBins = 3;
const maxSteps = 50;
const maxHalvings = 40;
const precision = 1e-12;

/**
 * Returns the statistic of the likelihood-ratio test of whether the values of a recent sample lie
 * neither higher nor lower than those of a reference. Both are counted in the same bins, in
 * ascending order of the values.
 *
 * The statistic is twice the logarithm of the likelihood that a logistic regression on the rank
 * gains over the sizes of the samples alone:
 *
 *     logit P(recent | bin i) = a + b rᵢ
 *
 * rᵢ is the mean rank of the records of the bin among all records, as a share of all, less ½. The
 * statistic is chi-squared distributed with 1 degree of freedom where records are independent and
 * nothing changed. It is the part of the likelihood ratio of all bins that a trend explains, and
 * shows a shift in one direction in about half as many records as a test of ten bins needs.
 *
 * There is no test, and the result is 0 and 0, with fewer than three bins in use (with two, the two
 * statistics are the same), or where fewer than 5 records of the smaller sample are expected
 * outside the fullest bin.
 *
 * O(bins) for each of about ten steps. Sources: Agresti, Categorical Data Analysis, 3rd ed., 2013,
 * section 5.3 (trend in a logit); ranks as scores as in Wilcoxon's test (Biometrics Bulletin 1(6),
 * 1945), whose statistic is the score test of this one.
 *
 * @param reference records per bin, not necessarily whole numbers
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example
 * likelihoodRatioTrend([500, 500, 500], [60, 50, 40])
 * // { statistic: 3.6487, degreesOfFreedom: 1 }
 */
export function likelihoodRatioTrend(
  reference: number[],
  recent: number[],
): { statistic: number; degreesOfFreedom: number } {
  const recentTotal = sum(recent);
  const total = recentTotal + sum(reference);
  const bins = rankedBins(reference, recent, total);
  const fullest = Math.max(0, ...bins.map(({ count }) => count));
  const smaller = Math.min(recentTotal, total - recentTotal);
  if (bins.length < minBins || (smaller / total) * (total - fullest) < minExpected) {
    return { statistic: 0, degreesOfFreedom: 0 };
  }
  const intercept = Math.log(recentTotal / (total - recentTotal));
  const gained = fittedLogLikelihood(bins, intercept) - logLikelihood(bins, intercept, 0);
  return { statistic: Math.max(0, 2 * gained), degreesOfFreedom: 1 };
}

interface RankedBin {
  rank: number;
  recent: number;
  count: number;
}

/**
 * Returns the bins that hold a record, each with its mean rank, which lies between -½ and ½ and is
 * 0 on average.
 */
function rankedBins(reference: number[], recent: number[], total: number): RankedBin[] {
  const bins: RankedBin[] = [];
  let below = 0;
  for (let bin = 0; bin < recent.length; bin++) {
    const count = reference[bin]! + recent[bin]!;
    if (count > 0)
      bins.push({ rank: (below + count / 2) / total - 0.5, recent: recent[bin]!, count });
    below += count;
  }
  return bins;
}

/**
 * Returns the greatest log-likelihood, by Newton's method with halved steps where a full step goes
 * too far. Samples that lie apart have their supremum, 0, at infinity; the search ends close to it.
 */
function fittedLogLikelihood(bins: readonly RankedBin[], intercept: number): number {
  let [a, b] = [intercept, 0];
  let reached = logLikelihood(bins, a, b);
  for (let step = 0; step < maxSteps; step++) {
    const [changeA, changeB] = newtonStep(bins, a, b);
    let share = 1;
    let next = logLikelihood(bins, a + changeA, b + changeB);
    for (let halving = 0; !(next >= reached) && halving < maxHalvings; halving++) {
      share /= 2;
      next = logLikelihood(bins, a + share * changeA, b + share * changeB);
    }
    if (!(next - reached > precision * Math.abs(reached))) break;
    a += share * changeA;
    b += share * changeB;
    reached = next;
  }
  return reached;
}

function newtonStep(bins: readonly RankedBin[], a: number, b: number): [number, number] {
  let [slopeA, slopeB, aa, ab, bb] = [0, 0, 0, 0, 0];
  for (const { rank, recent, count } of bins) {
    const probability = 1 / (1 + Math.exp(-(a + b * rank)));
    const residual = recent - count * probability;
    const weight = count * probability * (1 - probability);
    slopeA += residual;
    slopeB += residual * rank;
    aa += weight;
    ab += weight * rank;
    bb += weight * rank * rank;
  }
  const determinant = aa * bb - ab * ab;
  return [(bb * slopeA - ab * slopeB) / determinant, (aa * slopeB - ab * slopeA) / determinant];
}

function logLikelihood(bins: readonly RankedBin[], a: number, b: number): number {
  let total = 0;
  for (const { rank, recent, count } of bins) {
    const logit = a + b * rank;
    // ln P(reference) = -ln(1 + exp(logit)), without overflow.
    const logReference = -Math.max(0, logit) - Math.log1p(Math.exp(-Math.abs(logit)));
    total += recent * logit + count * logReference;
  }
  return total;
}

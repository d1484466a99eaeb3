import { sum } from 'simple-statistics';
import { MINIMUM_EXPECTED } from './poolSparseBins.ts';

const mostSteps = 50;
const mostHalvings = 40;
const precision = 1e-12;

/**
 * The likelihood-ratio test that the values of a recent sample lie neither higher nor lower than those of a reference, counted in the same
 * bins in ascending order: twice the logarithm by which a logistic regression on the value tells the two samples apart better than their sizes
 * do,
 *
 *     logit P(recent | bin i) = a + b rᵢ,   rᵢ the mean rank of the bin's records among all, as a share of all, less ½,
 *
 * chi-squared with 1 degree of freedom where records are independent: the part of the likelihood ratio of all bins that a trend explains. It
 * shows a shift that goes one way in about half as many records as a test of ten bins needs. With two bins the two are the same, so from
 * three bins on; and where 5 records of the smaller sample are expected outside the fullest bin. Else no test: 0 and 0.
 *
 * O(bins), some ten times. Sources: Agresti, Categorical Data Analysis, 3rd ed., 2013, section 5.3 (trend in a logit); ranks as scores as in
 * Wilcoxon's test (Biometrics Bulletin 1(6), 1945), whose statistic is this one's score test.
 *
 * @example likelihoodRatioTrend([500, 500, 500], [60, 50, 40]); // { statistic: 3.65, degreesOfFreedom: 1 }
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
  if (bins.length < 3 || (smaller / total) * (total - fullest) < MINIMUM_EXPECTED) {
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

/** The bins that hold a record, each with its mean rank: between -½ and ½, 0 on average. */
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

/** By Newton's method, halving what would go too far; samples that lie apart have their supremum, 0, at infinity, where it ends close by. */
function fittedLogLikelihood(bins: readonly RankedBin[], intercept: number): number {
  let [a, b] = [intercept, 0];
  let reached = logLikelihood(bins, a, b);
  for (let step = 0; step < mostSteps; step++) {
    const [changeA, changeB] = newtonStep(bins, a, b);
    let share = 1;
    let next = logLikelihood(bins, a + changeA, b + changeB);
    for (let halving = 0; !(next >= reached) && halving < mostHalvings; halving++) {
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
    // ln P(recent) = -ln(1 + exp(-logit)), without overflow.
    const logOther = -Math.max(0, logit) - Math.log1p(Math.exp(-Math.abs(logit)));
    total += recent * logit + count * logOther;
  }
  return total;
}

import { bisect } from './bisect.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import { logNormalSurvival } from './normalSurvival.ts';

const bisections = 40;

/** How many of how many. */
export interface Rate {
  hits: number;
  total: number;
}

export function rateOf({ hits, total }: Rate): number {
  return total > 0 ? hits / total : 0;
}

/**
 * Natural logarithm of the one-sided p-value that a rate has not risen: P(Z > √(G / φ)), G the likelihood-ratio
 * statistic of two binomial samples; 0 (p = 1) when it has not risen.
 *
 * Source: the signed root of G, Barndorff-Nielsen, Cox, "Inference and Asymptotics", 1994, section 2.4.
 *
 * @example rateIncreaseLogPValue({ hits: 10, total: 1000 }, { hits: 12, total: 200 }, 1) // -7.9
 */
export function rateIncreaseLogPValue(
  reference: Rate,
  recent: Rate,
  overdispersion: number,
): number {
  if (rateOf(recent) <= rateOf(reference)) return 0;
  return logNormalSurvival(Math.sqrt(likelihoodRatio(reference, recent) / overdispersion));
}

/** G of two binomial samples. */
export function likelihoodRatio(reference: Rate, recent: Rate): number {
  if (reference.total === 0 || recent.total === 0) return 0;
  const pooled = (reference.hits + recent.hits) / (reference.total + recent.total);
  return Math.max(0, 2 * (logRatio(reference, pooled) + logRatio(recent, pooled)));
}

function logRatio({ hits, total }: Rate, expectedRate: number): number {
  return weighted(hits, total * expectedRate) + weighted(total - hits, total * (1 - expectedRate));
}

function weighted(observed: number, expected: number): number {
  return observed > 0 ? observed * Math.log(observed / expected) : 0;
}

/** The lowest rate among `recentTotal` records that would count as risen at `level`. */
export function rateIncreaseThreshold(
  reference: Rate,
  recentTotal: number,
  overdispersion: number,
  level: number,
): number {
  const needed = chiSquaredThreshold(1, 2 * level) * overdispersion;
  return rateReaching(reference, recentTotal, needed);
}

/** The lowest rate among `recentTotal` records, above the reference's, whose likelihood ratio is `needed`; 1 if none is. */
export function rateReaching(reference: Rate, recentTotal: number, needed: number): number {
  const isBelow = (rate: number) =>
    likelihoodRatio(reference, { hits: rate * recentTotal, total: recentTotal }) < needed;
  return bisect(isBelow, rateOf(reference), 1, bisections);
}

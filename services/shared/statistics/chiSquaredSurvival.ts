import { gammaln } from 'simple-statistics';
import { gammaFraction } from './continuedFractions.ts';

const relativePrecision = 1e-16;
const maxTerms = 100_000;

/**
 * Returns the probability that a chi-squared variable exceeds x, in [0, 1].
 *
 *     P(X > x) = Q(k / 2, x / 2)   for k degrees of freedom
 *
 * Q is the upper regularised incomplete gamma function. Below 1e-308 the result is 0, and
 * `logChiSquaredSurvival` still tells such tails apart. (simple-statistics has a table of eleven
 * probabilities only.) As `scipy.stats.chi2.sf`.
 *
 * @param x any number; 1 is returned at and below 0
 * @param degreesOfFreedom above 0, which is not checked; not necessarily a whole number
 * @example chiSquaredSurvival(3.841458820694124, 1) // 0.05
 */
export function chiSquaredSurvival(x: number, degreesOfFreedom: number): number {
  return Math.exp(logChiSquaredSurvival(x, degreesOfFreedom));
}

/**
 * Returns the natural logarithm of `chiSquaredSurvival`, which is at most 0 and tells apart tails
 * that are 0 as numbers.
 *
 * Below the mean it uses the series for the lower function, above it Legendre's continued fraction
 * for the upper one. O(√k) terms. Source: Press et al., Numerical Recipes, 3rd ed., section 6.2,
 * there for the function itself. As `scipy.stats.chi2.logsf`.
 *
 * @param x any number; 0 is returned at and below 0
 * @param degreesOfFreedom above 0, which is not checked; not necessarily a whole number
 * @example logChiSquaredSurvival(10_000, 1) // -5004.83
 */
export function logChiSquaredSurvival(x: number, degreesOfFreedom: number): number {
  if (x <= 0) return 0;
  const shape = degreesOfFreedom / 2;
  const point = x / 2;
  const logFactor = shape * Math.log(point) - point - gammaln(shape);
  return point < shape + 1
    ? Math.log1p(-Math.min(1, Math.exp(logFactor) * lowerSeries(shape, point)))
    : Math.min(0, logFactor + Math.log(gammaFraction(shape, point)));
}

/** Returns Σ xⁿ / (a (a+1) … (a+n)) over n = 0, 1, … */
function lowerSeries(shape: number, point: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let n = 1; n < maxTerms && term > sum * relativePrecision; n++) {
    term *= point / (shape + n);
    sum += term;
  }
  return sum;
}

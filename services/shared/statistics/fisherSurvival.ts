import { gammaln } from 'simple-statistics';
import { betaFraction } from './continuedFractions.ts';

/**
 * Returns the natural logarithm of P(X > x) for X distributed as Fisher's F. The result is at most
 * 0.
 *
 *     P(X > x) = I(d / (d + n x); d / 2, n / 2)   for n and d degrees of freedom
 *
 * I is the regularised incomplete beta function. F is the ratio of two variances of which the one
 * in the denominator had to be learned; the more it was learned from, the more n x is distributed
 * as chi-squared.
 *
 * Good to a relative 1e-9. Source: Press et al., Numerical Recipes, 3rd ed., section 6.4. As
 * `scipy.stats.f.logsf`.
 *
 * @param x any number; 0 is returned at and below 0
 * @param numerator degrees of freedom n, above 0, not necessarily a whole number
 * @param denominator degrees of freedom d, above 0, not necessarily a whole number
 * @example Math.exp(logFisherSurvival(4.9646, 1, 10)) // 0.05
 */
export function logFisherSurvival(x: number, numerator: number, denominator: number): number {
  if (x <= 0) return 0;
  const a = denominator / 2;
  const b = numerator / 2;
  const point = denominator / (denominator + numerator * x);
  const complement = (numerator * x) / (denominator + numerator * x);
  const logFactor =
    gammaln(a + b) - gammaln(a) - gammaln(b) + a * Math.log(point) + b * Math.log(complement);
  if (point < (a + 1) / (a + b + 2))
    return Math.min(0, logFactor + Math.log(betaFraction(a, b, point) / a));
  return Math.log1p(-Math.min(1, (Math.exp(logFactor) * betaFraction(b, a, complement)) / b));
}

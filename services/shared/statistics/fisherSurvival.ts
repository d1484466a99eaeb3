import { gammaln } from 'simple-statistics';

const RELATIVE_PRECISION = 1e-14;
const SMALLEST_DENOMINATOR = 1e-300;
const MAXIMUM_TERMS = 10_000;

/**
 * The natural logarithm of P(X > x) for X distributed as Fisher's F with `numerator` and `denominator` degrees of freedom
 * (above 0, not necessarily whole): the regularised incomplete beta function at d / (d + n x). 0 at and below x = 0.
 *
 * The ratio of two variances, one of which had to be learned: with ever more that it was learned from, n x becomes
 * chi-squared. Source: Press et al., Numerical Recipes, 3rd ed., section 6.4.
 *
 * @example Math.exp(logFisherSurvival(4.96, 1, 10)); // 0.05
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

/** The continued fraction of the incomplete beta function, by the modified method of Lentz. */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let term = 1; term < MAXIMUM_TERMS; term++) {
    const even = (term * (b - term) * x) / ((a + 2 * term - 1) * (a + 2 * term));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + term) * (a + b + term) * x) / ((a + 2 * term) * (a + 2 * term + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) <= RELATIVE_PRECISION) break;
  }
  return fraction;
}

function awayFromZero(denominator: number): number {
  return Math.abs(denominator) < SMALLEST_DENOMINATOR ? SMALLEST_DENOMINATOR : denominator;
}

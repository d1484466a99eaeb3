import { gammaln } from 'simple-statistics';

const RELATIVE_PRECISION = 1e-16;
const SMALLEST_DENOMINATOR = 1e-300;
const MAXIMUM_TERMS = 100_000;

/**
 * P(X > x) for X chi-squared distributed: Q(k/2, x/2), the upper regularised incomplete gamma function, with `k` degrees
 * of freedom (above 0, not necessarily whole). In [0, 1]; below 1e-308 it is 0, and its logarithm still meaningful.
 *
 * (simple-statistics has a table of eleven probabilities only.)
 *
 * @example chiSquaredSurvival(3.841458820694124, 1); // 0.05
 */
export function chiSquaredSurvival(x: number, degreesOfFreedom: number): number {
  return Math.exp(logChiSquaredSurvival(x, degreesOfFreedom));
}

/**
 * The natural logarithm of `chiSquaredSurvival`, which tells apart tails that are 0 as numbers.
 *
 * Below the mean by the series for the lower function, above it by Legendre's continued fraction for the upper one.
 * O(√k) terms. Source: Press et al., Numerical Recipes, 3rd ed., section 6.2, there for the function itself.
 *
 * @example logChiSquaredSurvival(10_000, 1); // -5004.83
 */
export function logChiSquaredSurvival(x: number, degreesOfFreedom: number): number {
  if (x <= 0) return 0;
  const shape = degreesOfFreedom / 2;
  const point = x / 2;
  const logFactor = shape * Math.log(point) - point - gammaln(shape);
  return point < shape + 1
    ? Math.log1p(-Math.min(1, Math.exp(logFactor) * lowerSeries(shape, point)))
    : Math.min(0, logFactor + Math.log(upperFraction(shape, point)));
}

/** Σ xⁿ / (a (a+1) … (a+n)), n = 0, 1, … */
function lowerSeries(shape: number, point: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let n = 1; n < MAXIMUM_TERMS && term > sum * RELATIVE_PRECISION; n++) {
    term *= point / (shape + n);
    sum += term;
  }
  return sum;
}

/** 1 / (x+1−a − 1(1−a) / (x+3−a − 2(2−a) / (x+5−a − …))), by the modified method of Lentz. */
function upperFraction(shape: number, point: number): number {
  let partial = point + 1 - shape;
  let c = 1 / SMALLEST_DENOMINATOR;
  let d = 1 / partial;
  let fraction = d;
  for (let n = 1; n < MAXIMUM_TERMS; n++) {
    const numerator = -n * (n - shape);
    partial += 2;
    d = 1 / awayFromZero(numerator * d + partial);
    c = awayFromZero(partial + numerator / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) <= RELATIVE_PRECISION) break;
  }
  return fraction;
}

function awayFromZero(denominator: number): number {
  return Math.abs(denominator) < SMALLEST_DENOMINATOR ? SMALLEST_DENOMINATOR : denominator;
}

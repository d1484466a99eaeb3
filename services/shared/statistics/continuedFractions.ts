const gammaPrecision = 1e-16;
const betaPrecision = 1e-14;
const maxGammaTerms = 100_000;
const maxBetaTerms = 10_000;
/**
 * Stands in for a denominator that vanishes. It is far below every other, and its inverse is
 * finite.
 */
const tinyDenominator = 1e-300;

/**
 * Returns Legendre's continued fraction of the upper incomplete gamma function.
 *
 *     Γ(a, x) = exp(−x) xᵃ / (x+1−a − 1(1−a) / (x+3−a − 2(2−a) / (x+5−a − …)))
 *
 * The result is the fraction without the factor exp(−x) xᵃ. It converges in O(√a) terms for x > a +
 * 1, and slowly below.
 *
 * Both fractions of this file are evaluated from their start by the modified method of Lentz.
 * Sources: Press et al., Numerical Recipes, 3rd ed., sections 5.2, 6.2 and 6.4; Thompson, Barnett,
 * Journal of Computational Physics 64(2), 1986, pp. 490-509, for the method.
 *
 * @example gammaFraction(1, 2) // 0.5
 */
export function gammaFraction(a: number, x: number): number {
  let partial = x + 1 - a;
  let c = 1 / tinyDenominator;
  let d = 1 / partial;
  let fraction = d;
  for (let n = 1; n < maxGammaTerms; n++) {
    const numerator = -n * (n - a);
    partial += 2;
    d = 1 / awayFromZero(numerator * d + partial);
    c = awayFromZero(partial + numerator / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) <= gammaPrecision) break;
  }
  return fraction;
}

/**
 * Returns the continued fraction of the incomplete beta function B(x; a, b), without the factor xᵃ
 * (1 − x)ᵇ / a. It converges in O(√max(a, b)) terms for x < (a + 1) / (a + b + 2), and slowly
 * above.
 *
 * @example betaFraction(1, 1, 0.5) // 2
 */
export function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let term = 1; term < maxBetaTerms; term++) {
    const even = (term * (b - term) * x) / ((a + 2 * term - 1) * (a + 2 * term));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + term) * (a + b + term) * x) / ((a + 2 * term) * (a + 2 * term + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) <= betaPrecision) break;
  }
  return fraction;
}

/** Kept in this file, because an imported function makes the loops a quarter slower. */
function awayFromZero(denominator: number): number {
  return Math.abs(denominator) < tinyDenominator ? tinyDenominator : denominator;
}

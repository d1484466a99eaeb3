import { bucketInnerBound, bucketOuterBound } from '../../shared/profile/bucketKey.ts';
import type { FrozenVariable } from './frozenVariable.ts';

/** Integers and short decimals are written as they were logged. */
const digitsOfNumber = 6;

/**
 * Returns for each bin the value that it holds alone, as text; null for a bin that holds several
 * values, or one of which only a hash is known.
 *
 * @example
 * const binOf = new Map([['DE', 0], ['IT', 1]]);
 * valueNames({ bins: { kind: 'categories', binCount: 2, binOf }, binCount: 3 }) // ['DE', 'IT', null]
 */
export function valueNames({
  bins,
  binCount,
}: Pick<FrozenVariable, 'bins' | 'binCount'>): (string | null)[] {
  const names = new Array<string | null | undefined>(binCount).fill(undefined);
  if ('keys' in bins) {
    if (bins.kind === 'values')
      for (const [bin, key] of bins.keys.entries()) names[bin] = numberName(key, bins.mantissaBits);
  } else if (bins.kind === 'categories') {
    for (const [name, bin] of bins.binOf) names[bin] = names[bin] === undefined ? `${name}` : null;
  }
  return names.map(name => name ?? null);
}

/** Returns the number in the middle of a bucket, as text. */
export function numberName(key: number, mantissaBits: number): string {
  const inner = bucketInnerBound(key, mantissaBits);
  const middle = key === 0 ? 0 : inner + (bucketOuterBound(key, mantissaBits) - inner) / 2;
  return String(Number(middle.toPrecision(digitsOfNumber)));
}

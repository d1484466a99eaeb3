import type { FeatureValue } from '../../shared/profile/featureProfile.ts';

const partCount = 5;

/**
 * Returns true if each fifth of the numbers, in the order of time, lies above the fifth before it.
 * The values of clocks and ids do so, and tell nothing about later records.
 */
export function isGrowing(values: readonly FeatureValue[]): boolean {
  const numbers = values.filter(value => typeof value === 'number');
  if (numbers.length < partCount) return false;
  let highest = Number.NEGATIVE_INFINITY;
  for (let part = 0; part < partCount; part++) {
    const inPart = numbers.slice(
      (part * numbers.length) / partCount,
      ((part + 1) * numbers.length) / partCount,
    );
    const lowest = inPart.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
    if (lowest <= highest) return false;
    highest = inPart.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  }
  return true;
}

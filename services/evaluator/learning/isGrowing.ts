import type { FeatureValue } from '../../shared/profile/featureProfile.ts';

const parts = 5;

/** Whether each fifth of values in the order of time lies above the one before, as those of a clock or an id do: it tells nothing of later records. */
export function isGrowing(values: readonly FeatureValue[]): boolean {
  const numbers = values.filter(value => typeof value === 'number');
  if (numbers.length < parts) return false;
  let highest = Number.NEGATIVE_INFINITY;
  for (let part = 0; part < parts; part++) {
    const of = numbers.slice(
      (part * numbers.length) / parts,
      ((part + 1) * numbers.length) / parts,
    );
    const lowest = of.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    if (lowest <= highest) return false;
    highest = of.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  }
  return true;
}

import type { Family } from '../significance/family.ts';

/** A family of tests that said "changed", with the test that speaks for it. */
export interface Evidence {
  family: Family;
  /** Blocks pooled. */
  scale: number;
  feature: string | null;
  metric: string;
  value: number;
  /** On the scale of `value`. */
  threshold: number;
  pValue: number;
  /** Tells apart p-values that are 0 as numbers. */
  logPValue: number;
  records: number;
  referenceRecords: number;
  /** Whether the change is large enough to matter on its own, however many records showed it. */
  large: boolean;
  /** By how much the error rate rose; of a mean loss, which knows no bounds, Infinity. Of errors alone. */
  rise?: number;
  /** Share of each changed feature in the effect; they sum to 1, or there are none. */
  contributions: Record<string, number>;
  /** By how much each changed feature moves the mean output; empty where that is not known. */
  predictionContributions: Record<string, number>;
  /** What changed and by how much, for a person. */
  statement: string;
}

/** @example shares([['a', 3], ['b', 1]]) // { a: 0.75, b: 0.25 } */
export function shares(effects: readonly (readonly [string, number])[]): Record<string, number> {
  const total = effects.reduce((sum, [, effect]) => sum + effect, 0);
  return Object.fromEntries(
    effects.map(([name, effect]) => [name, total > 0 ? effect / total : 1 / effects.length]),
  );
}

/** @example shown(0.123456) // '0.123' */
export function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** @example percent(0.1234) // '12.3 %' */
export function percent(share: number): string {
  return `${shown(share * 100)} %`;
}

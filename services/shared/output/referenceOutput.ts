/** A labelled prediction of the reference. Classes and numbers are given as text. */
export interface ReferenceOutput {
  label: string;
  /** Null when the label was not logged as a number. */
  labelValue: number | null;
  prediction: string;
  /** Null when the prediction was not logged as a number. */
  predictionValue: number | null;
  score: number | null;
  /**
   * Names of probabilities that equal the score (or, where there is none, the prediction). Null if
   * the record has no probabilities.
   */
  classesOfScore: readonly string[] | null;
  /** Whether the record has a ranked list of classes. */
  hasRanking: boolean;
}

/** A decimal number as text, with space around it. */
export const decimalNumber =
  '^[\\t\\n\\f\\r ]*[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?[\\t\\n\\f\\r ]*$';
const decimal = new RegExp(decimalNumber);

/** Returns the finite number that was logged, as a number or as text, or null. */
export function numberOf(value: number | null, text: string): number | null {
  const number = value ?? (decimal.test(text) ? Number(text) : Number.NaN);
  return Number.isFinite(number) ? number : null;
}

/** Counts texts, numbers or keys. */
export function countsOf<Value>(values: Iterable<Value>): Map<Value, number> {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Returns a share as text. @example percent(0.0312) // '3.1 %' */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

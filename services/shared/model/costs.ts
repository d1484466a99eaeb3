import type { ClassLabel } from './model.ts';

/** What a prediction costs, by the true class and then by the predicted one. */
export type Costs = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What a wrong prediction costs that has no cost of its own. */
const usualCost = 1;

/**
 * Returns what a prediction costs: nothing if it is right and has no cost, and 1 if it is wrong and
 * has none.
 * @example costOf({ fraud: { ok: 20 } }, 'fraud', 'ok') // 20
 */
export function costOf(costs: Costs, truth: ClassLabel, prediction: ClassLabel): number {
  const given = costs[String(truth)]?.[String(prediction)];
  return given ?? (String(truth) === String(prediction) ? 0 : usualCost);
}

/**
 * Returns the position of the class whose prediction costs least on the mean, the first one on a
 * tie. O(classes²).
 *
 * Source: Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, equation 1.
 *
 * @param shares probability of each class
 * @example cheapestClass({ fraud: { ok: 20 } }, ['ok', 'fraud'], [0.9, 0.1]) // 1
 */
export function cheapestClass(
  costs: Costs,
  classes: readonly ClassLabel[],
  shares: readonly number[],
): number {
  const means = classes.map(prediction =>
    classes.reduce<number>(
      (sum, truth, index) => sum + shares[index]! * costOf(costs, truth, prediction),
      0,
    ),
  );
  return means.indexOf(Math.min(...means));
}

import type { Prediction } from '../contracts.ts';
import type { FeatureValue, Vector } from './featureProfile.ts';

/**
 * The inputs of one record: `values[i]` is the value of `names[i]`, and no name occurs twice.
 *
 * Records with the same names in the same order share one `names` array, so that what was found out
 * about its columns can be kept per array. An object per record would cost more than counting it
 * does, because V8 turns an object with more than about a dozen properties into a hash table.
 */
export interface Features {
  names: readonly string[];
  values: (FeatureValue | Vector)[];
}

/** A prediction as it is decoded: the contract, with its features as two arrays. */
export type LoggedPrediction = Omit<Prediction, 'features'> & { features: Features };

/**
 * Returns the features of an object. Each call makes new arrays; `names` is not shared.
 *
 * @example
 * featuresOf({ amount: 12.5, city: 'Rome' })
 * // { names: ['amount', 'city'], values: [12.5, 'Rome'] }
 */
export function featuresOf(record: Prediction['features']): Features {
  return { names: Object.keys(record), values: Object.values(record) };
}

/**
 * Returns features as an object.
 *
 * @example recordOf({ names: ['amount'], values: [12.5] }) // { amount: 12.5 }
 */
export function recordOf({ names, values }: Features): Record<string, FeatureValue | Vector> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** Returns a prediction with its features as two arrays. */
export function loggedPrediction(prediction: Prediction): LoggedPrediction {
  return { ...prediction, features: featuresOf(prediction.features) };
}

import type { Prediction } from '../contracts.ts';
import type { FeatureValue } from './featureProfile.ts';

/**
 * The inputs of one record: `values[i]` is that of `names[i]`, no name comes twice. Records with the same names in the same order share
 * `names`, so whoever knows the array knows them all. An object per record would cost more than counting it does: with more than a
 * dozen properties V8 makes each a hash table.
 */
export interface Features {
  names: readonly string[];
  values: FeatureValue[];
}

/** A prediction as it is decoded. */
export type LoggedPrediction = Omit<Prediction, 'features'> & { features: Features };

/** @example featuresOf({ amount: 12.5, city: 'Rome' }) // { names: ['amount', 'city'], values: [12.5, 'Rome'] } */
export function featuresOf(record: Prediction['features']): Features {
  return { names: Object.keys(record), values: Object.values(record) };
}

/** @example recordOf({ names: ['amount'], values: [12.5] }) // { amount: 12.5 } */
export function recordOf({ names, values }: Features): Record<string, FeatureValue> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** @example loggedPrediction({ ...prediction, features: { amount: 12.5 } }).features.names // ['amount'] */
export function loggedPrediction(prediction: Prediction): LoggedPrediction {
  return { ...prediction, features: featuresOf(prediction.features) };
}

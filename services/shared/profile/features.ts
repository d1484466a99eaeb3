import type { Prediction } from '../contracts.ts';
import type { FeatureKinds } from '../featureKind.ts';
import type { FeatureValue, Vector } from './featureProfile.ts';
import { minBase64Length, writtenVector } from './writtenVector.ts';

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

const vectorSuffix = '.vector';

/**
 * Returns the features of an object. Each call makes new arrays; `names` is not shared. A text under
 * a name that ends in `.vector`, as that of `{ "vector": "…" }` does, is a vector if it can be one.
 *
 * @example
 * featuresOf({ amount: 12.5, city: 'Rome' })
 * // { names: ['amount', 'city'], values: [12.5, 'Rome'] }
 */
export function featuresOf(record: Prediction['features']): Features {
  const names = Object.keys(record);
  const values: Features['values'] = Object.values(record);
  for (let index = 0; index < names.length; index++) {
    const value = values[index];
    if (typeof value !== 'string' || value.length < minBase64Length) continue;
    const vector = names[index]!.endsWith(vectorSuffix) ? writtenVector(value) : null;
    if (!vector) continue;
    names[index] = names[index]!.slice(0, -vectorSuffix.length);
    values[index] = vector;
  }
  return { names, values };
}

/**
 * Returns features as an object.
 *
 * @example recordOf({ names: ['amount'], values: [12.5] }) // { amount: 12.5 }
 */
export function recordOf({ names, values }: Features): Record<string, FeatureValue | Vector> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/**
 * Reads the texts of features that the settings call vectors as their float32 numbers in base64, in
 * place. A text that cannot be a vector stays.
 */
export function readDeclaredVectors({ names, values }: Features, kinds: FeatureKinds): void {
  for (const name in kinds) {
    if (kinds[name] !== 'vector') continue;
    const index = names.indexOf(name);
    const value = values[index];
    if (typeof value === 'string') values[index] = writtenVector(value) ?? value;
  }
}

/** Returns a prediction with its features as two arrays. */
export function loggedPrediction(prediction: Prediction): LoggedPrediction {
  return { ...prediction, features: featuresOf(prediction.features) };
}

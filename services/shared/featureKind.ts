/**
 * What a feature is, which decides how it is watched:
 *
 * - `numeric`: numbers; their distribution is compared.
 * - `categorical`: text or booleans; the shares of their values are compared.
 * - `numeric-text`: numbers written as text, compared as numbers.
 * - `free-text`: sentences; the distribution of their lengths is compared.
 * - `time`: days and times, as text or as numbers.
 * - `counter`: numbers that only ever grow.
 * - `identifier`: text that hardly two records share.
 * - `calendar`: a function of the event time, such as the month.
 * - `steps`: one value for all records at a time, which changes now and then.
 * - `vector`: arrays of numbers, such as embeddings; their norms are compared.
 *
 * No reference can hold for the values of the five from `time` to `steps`, because they move by themselves. Only
 * missing values and wrong types are watched.
 */
export const featureKinds = [
  'numeric',
  'categorical',
  'numeric-text',
  'free-text',
  'time',
  'counter',
  'identifier',
  'calendar',
  'steps',
  'vector',
] as const;

export type FeatureKind = (typeof featureKinds)[number];

/** Kinds of features by name. */
export type FeatureKinds = Readonly<Record<string, FeatureKind>>;

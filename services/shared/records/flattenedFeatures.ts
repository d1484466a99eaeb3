/** Objects within the object of the features; deeper ones are documents and no features. */
const maxFeatureLevels = 5;
/** As many features as a record may have. */
const maxFlattened = 2_000;

/** What keeps features from being flattened, as a dead letter says it. */
export class FlatteningError extends Error {}

/**
 * Returns features without objects among them. The values within an object are features of their
 * own, under names with a dot. Whole numbers that only a bigint holds become the nearest number.
 * @throws FlatteningError beyond the limits, or when two features have the same name then
 * @example flattenedFeatures({ customer: { age: 41 } }) // { 'customer.age': 41 }
 */
export function flattenedFeatures(features: Record<string, unknown>): Record<string, unknown> {
  for (const value of Object.values(features)) {
    if (isNested(value) || typeof value === 'bigint')
      return Object.fromEntries(flattenInto(new Map(), features, [], { isNested: false }));
  }
  return features;
}

function flattenInto(
  flat: Map<string, unknown>,
  features: Record<string, unknown>,
  path: readonly string[],
  found: { isNested: boolean },
): Map<string, unknown> {
  for (const [name, value] of Object.entries(features)) {
    const place = [...path, name];
    if (isNested(value)) {
      found.isNested = true;
      if (place.length >= maxFeatureLevels + 1) {
        throw new FlatteningError(
          `features.${shortened(place)}: is nested too deep; objects in at most ` +
            `${maxFeatureLevels} levels are read`,
        );
      }
      flattenInto(flat, value, place, found);
      continue;
    }
    const flatName = place.join('.');
    if (flat.has(flatName))
      throw new FlatteningError(
        `features.${shortened(place)}: comes twice, within an object and with the dot in its name`,
      );
    flat.set(flatName, typeof value === 'bigint' ? Number(value) : value);
    if (found.isNested && flat.size > maxFlattened)
      throw new FlatteningError(
        `features: the objects in it have more than ${maxFlattened} values together`,
      );
  }
  return flat;
}

function isNested(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
  );
}

function shortened(place: readonly string[]): string {
  const text = place.join('.');
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

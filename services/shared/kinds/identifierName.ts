const identifying: ReadonlySet<string> = new Set(
  'id ids uid uuid guid email mail phone hash token session cookie iban ip login username'.split(
    ' ',
  ),
);

/**
 * Returns whether the name of a feature says that its values identify something, by its last word.
 *
 * @example ['user_id', 'deviceId', 'sessionUUID', 'valid', 'city'].map(isIdentifierName)
 * // [true, true, true, false, false]
 */
export function isIdentifierName(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return identifying.has(words.findLast(word => word !== '') ?? '');
}

/** The length of the base64 of two numbers. */
export const minBase64Length = 12;

const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const numberBytes = Float32Array.BYTES_PER_ELEMENT;

/**
 * Returns the float32 numbers, little-endian, that a text holds in base64; null if their bytes are
 * no whole numbers. O(length).
 *
 * @example writtenVector('AACAPwAAAEA=') // [1, 2]
 */
export function writtenVector(text: string): number[] | null {
  if (!base64.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < 2 * numberBytes || bytes.length % numberBytes !== 0) return null;
  const vector: number[] = [];
  for (let at = 0; at < bytes.length; at += numberBytes) vector.push(bytes.readFloatLE(at));
  return vector;
}

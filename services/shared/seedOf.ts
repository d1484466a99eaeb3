/**
 * Returns the seed for a dataset, so that the same data give the same model. It has 28 bits,
 * because TensorFlow.js takes 32-bit integers.
 */
export function seedOf(datasetId: string): number {
  return Number.parseInt(datasetId.slice(0, 7), 16);
}

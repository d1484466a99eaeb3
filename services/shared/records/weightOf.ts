import type { Prediction } from '../contracts.ts';

/**
 * Returns how many predictions a record stands for: weight / samplingRate, each 1 if absent.
 *
 * @example weightOf({ weight: 2, samplingRate: 0.1 }) // 20
 */
export function weightOf({ weight, samplingRate }: Pick<Prediction, 'weight' | 'samplingRate'>) {
  return (weight ?? 1) / (samplingRate ?? 1);
}

import { expect } from 'vitest';
import type { DistanceSignificance } from '../../../../services/shared/statistics/distanceSignificance.ts';

export { default as scipy } from './scipy.json' with { type: 'json' };

/** Expects two numbers to be equal to a relative 1e-9, and at 0 to an absolute 1e-14. */
export function expectClose(actual: number | null, expected: number, relative = 1e-9): void {
  const error = Math.abs(actual! - expected);
  expect(error, `${actual} for ${expected}`).toBeLessThanOrEqual(
    Math.max(relative * Math.abs(expected), 1e-14 * Number(expected === 0)),
  );
}

/**
 * Expects a p-value below the level exactly if the distance is above the threshold, and neither to
 * be NaN.
 */
export function expectAgreement(
  distance: number,
  significance: DistanceSignificance | null,
  level: number,
): void {
  if (!significance) return;
  const { pValue } = significance;
  const threshold = significance.thresholdAt(level);
  expect(pValue).toBeGreaterThanOrEqual(0);
  expect(pValue).toBeLessThanOrEqual(1);
  expect(threshold).toBeGreaterThan(0);
  if (distance > threshold * (1 + 1e-9)) expect(pValue).toBeLessThan(level);
  if (distance < threshold * (1 - 1e-9)) expect(pValue).toBeGreaterThan(level);
}

import { expect } from 'vitest';

export { default as scipy } from './scipy.json' with { type: 'json' };

/** Equal to a relative 1e-9, and at 0 to an absolute 1e-14. */
export function expectClose(actual: number | null, expected: number, relative = 1e-9): void {
  const error = Math.abs(actual! - expected);
  expect(error, `${actual} for ${expected}`).toBeLessThanOrEqual(
    Math.max(relative * Math.abs(expected), 1e-14 * Number(expected === 0)),
  );
}

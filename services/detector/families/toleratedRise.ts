import type { ModelSettings } from '../../shared/config/settings.ts';

/** The rise of a loss that is too small to matter, as settings say it. */
export type PerformanceDrop = ModelSettings['detection']['performanceDrop'];

/**
 * Returns the rise of a mean loss up to which it counts as unchanged. A number alone is absolute for
 * an error rate, and relative for a mean absolute error. Of an absolute and a relative rise the
 * smaller one counts.
 *
 * @param before mean loss of the reference
 * @example
 * // Of an error rate of 0.5 %, and of 20 %:
 * toleratedRise({ absolute: 0.02, relative: 0.5 }, 0.005, 'absolute'); // 0.0025
 * toleratedRise({ absolute: 0.02, relative: 0.5 }, 0.2, 'absolute'); // 0.02
 */
export function toleratedRise(
  drop: PerformanceDrop,
  before: number,
  unitOfNumber: 'absolute' | 'relative',
): number {
  if (typeof drop === 'number') return unitOfNumber === 'absolute' ? drop : before * drop;
  const { absolute = Number.POSITIVE_INFINITY, relative } = drop;
  return relative === undefined ? absolute : Math.min(absolute, before * relative);
}

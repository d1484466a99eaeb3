import type { ModelSettings } from '../../shared/config/settings.ts';

/** The rise of a loss that is too small to matter, as settings say it. */
export type PerformanceDrop = ModelSettings['detection']['performanceDrop'];

/** A number alone is at most this share of an error rate. */
const maxShareOfRate = 0.5;

/**
 * Returns the rise of a mean loss up to which it counts as unchanged. A number alone is absolute
 * for an error rate, but at most half of that rate, so that it suits rare errors, too; it is
 * relative for a mean absolute error. Of an absolute and a relative rise the smaller one counts.
 *
 * @param before mean loss of the reference
 * @example
 * toleratedRise(0.02, 0.2, 'absolute'); // 0.02
 * toleratedRise(0.02, 0.005, 'absolute'); // 0.0025
 * // Of an error rate of 0.5 %, and of 20 %:
 * toleratedRise({ absolute: 0.02, relative: 0.5 }, 0.005, 'absolute'); // 0.0025
 * toleratedRise({ absolute: 0.02, relative: 0.5 }, 0.2, 'absolute'); // 0.02
 */
export function toleratedRise(
  drop: PerformanceDrop,
  before: number,
  unitOfNumber: 'absolute' | 'relative',
): number {
  if (typeof drop === 'number')
    return unitOfNumber === 'absolute' ? Math.min(drop, before * maxShareOfRate) : before * drop;
  const { absolute = Number.POSITIVE_INFINITY, relative } = drop;
  return relative === undefined ? absolute : Math.min(absolute, before * relative);
}

import type { ModelSettings } from '../../shared/config/settings.ts';

/** The smallest changes that matter. */
export interface MinimumEffect {
  /** PSI of a number, less what sampling brings about. */
  psiOfNumber: number;
  /** The same of a category or class. */
  psi: number;
  /** Rise of a rate of defects, as a share of the records. */
  defects: number;
}

/**
 * Returns the smallest changes that matter by the settings. A bell curve that moves by d standard
 * deviations has a PSI of about d², so numbers are judged by their PSI, too, which also shows a
 * changed spread or shape.
 *
 * Settings from before there was a minimum effect, which still hold for earlier windows, have none
 * but that of defects.
 */
export function minimumEffectOf({
  minimumEffect,
}: Partial<Pick<ModelSettings['detection'], 'minimumEffect'>>): MinimumEffect {
  const { deviations = 0, psi = 0, defects = 0.01 } = minimumEffect ?? {};
  return { psiOfNumber: deviations ** 2, psi, defects };
}

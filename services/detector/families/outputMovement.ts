import type { OutputModel } from '../reference/outputModel.ts';
import { shown } from './evidence.ts';

/** A changed feature with the counts of its bins, as `validCounts` returns them. */
export interface ChangedMargin {
  key: string;
  name: string;
  referenceCounts: readonly number[];
  recentCounts: readonly number[];
}

/**
 * Returns by how much each changed feature is expected to move the mean output, Σ effect · change
 * of the bin's share. Features that the model does not contain are left out.
 */
export function predictionContributions(
  { effects }: OutputModel,
  changed: readonly ChangedMargin[],
): Record<string, number> {
  const moved = changed.flatMap(({ key, name, referenceCounts, recentCounts }) => {
    const ofBins = effects.get(key);
    return ofBins
      ? [
          [
            name,
            weightedMean(ofBins, recentCounts) - weightedMean(ofBins, referenceCounts),
          ] as const,
        ]
      : [];
  });
  return Object.fromEntries(moved);
}

function weightedMean(values: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values.reduce((sum, value, index) => sum + value * weights[index]!, 0) / total;
}

/**
 * Describes how the changed features move the mean output; empty if nothing is known.
 * @param changed number of changed features, including those that the model does not contain
 * @example movementStatement(model, { amount: 0.07, city: 0.01 }, 2) // ', which moves the score by +0.08, amount by +0.07 (additive model, R² 0.83)'
 */
export function movementStatement(
  { output, explained }: OutputModel,
  contributions: Record<string, number>,
  changed: number,
): string {
  const moved = Object.entries(contributions);
  if (moved.length === 0) return '';
  const total = moved.reduce((sum, [, movement]) => sum + movement, 0);
  const [name, most] = moved.reduce((left, right) =>
    Math.abs(right[1]) > Math.abs(left[1]) ? right : left,
  );
  const known = moved.length < changed ? ' as far as is known' : '';
  const ofIt = changed > 1 ? `, ${name} by ${signed(most)}` : '';
  return `, which${known} moves the ${output} by ${signed(total)}${ofIt} (additive model, R² ${shown(explained)})`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${shown(value)}`;
}

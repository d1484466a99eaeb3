import type { Costs } from './costs.ts';
import type { ClassLabel } from './model.ts';

/** A class is rare below this share. */
const rareShare = 0.25;
/** Rows of the rare class that say where to draw the line. */
const minRows = 10;
/** A line beyond these would rest on a few rows. */
const [lowestThreshold, highestThreshold] = [0.01, 0.99];

/**
 * Returns costs that make a binary model predict its rare class from the probability on at which F1
 * of that class is highest; null if no class is rare. With one half as the line, a model of 3 %
 * frauds hardly ever predicts a fraud, however well it ranks them. O(rows · log rows).
 *
 * Source: Lipton, Elkan, Naryanaswamy, "Optimal Thresholding of Classifiers to Maximize F1
 * Measure", ECML PKDD 2014.
 *
 * @param classes two, the positive one last
 * @param probabilities of the positive class, by row
 * @param labels of the rows
 */
export function costsOfRareClass(
  classes: readonly ClassLabel[],
  probabilities: ArrayLike<number>,
  labels: readonly ClassLabel[],
): Costs | null {
  const [negative, positive] = classes as [ClassLabel, ClassLabel];
  const positives = labels.filter(label => label === positive).length;
  const isPositiveRare = positives <= labels.length / 2;
  const rare = isPositiveRare ? positive : negative;
  const rows = isPositiveRare ? positives : labels.length - positives;
  if (rows < minRows || rows >= rareShare * labels.length) return null;
  const threshold = bestThreshold(
    labels.map((label, row) => {
      const probability = probabilities[row]!;
      return {
        probability: isPositiveRare ? probability : 1 - probability,
        isRare: label === rare,
      };
    }),
    rows,
  );
  const common = isPositiveRare ? negative : positive;
  return {
    [String(common)]: { [String(rare)]: threshold },
    [String(rare)]: { [String(common)]: 1 - threshold },
  };
}

/** Returns the probability from which on predicting the rare class has the highest F1. */
function bestThreshold(rows: { probability: number; isRare: boolean }[], rareRows: number): number {
  const highestFirst = rows.sort((one, other) => other.probability - one.probability);
  let [best, threshold, found] = [0, 0.5, 0];
  for (const [index, { probability, isRare }] of highestFirst.entries()) {
    if (isRare) found++;
    const next = highestFirst[index + 1]?.probability ?? 0;
    const f1 = (2 * found) / (index + 1 + rareRows);
    if (next === probability || f1 <= best) continue;
    [best, threshold] = [f1, (probability + next) / 2];
  }
  return Math.max(lowestThreshold, Math.min(highestThreshold, threshold));
}

import type { Dataset } from './publicDataset.ts';
import type { Random } from './random.ts';

/**
 * The kinds of drift of arXiv 2606.07789: columns permuted, a label swapped for another one, 75 %
 * of the rows of a label dropped, the rows above the median of a feature dropped.
 */
export const injections = ['x_permutations', 'y_swaps', 'y_prior_skip', 'x_exceed_skip'] as const;
export type Injection = (typeof injections)[number];
export const modes = ['ABRUPT', 'GRADUAL'] as const;
export type Mode = (typeof modes)[number];

export interface InjectedStream {
  /** null is a row that is no longer logged. */
  rows: ({ features: readonly number[]; label: number } | null)[];
  onset: number;
}

const minOnset = 0.5;
const maxOnset = 0.8;
const skippedShare = 0.75;

/**
 * Injects a drift into a data set.
 * @param rampRows rows over which the share of rows that a gradual drift changes grows to 1
 */
export function injectDrift(
  { columns, rows, labels, classes }: Dataset,
  injection: Injection,
  mode: Mode,
  rampRows: number,
  random: Random,
): InjectedStream {
  const onset = Math.floor(rows.length * random.between(minOnset, maxOnset));
  const label = random.integer(classes.length);
  const swapped = (label + 1 + random.integer(classes.length - 1)) % classes.length;
  const order = random.permutation(columns.length);
  const column = random.integer(columns.length);
  const median = medianOf(rows.map(row => row[column]!));
  return {
    onset,
    rows: rows.map((features, index) => {
      const unchanged = { features, label: labels[index]! };
      const progress = mode === 'ABRUPT' ? 1 : (index - onset) / rampRows;
      const isHit = random.uniform() < progress;
      const isSkipped = random.uniform() < skippedShare;
      if (index < onset || !isHit) return unchanged;
      if (injection === 'x_permutations')
        return { ...unchanged, features: order.map(from => features[from]!) };
      if (injection === 'y_swaps')
        return unchanged.label === label ? { features, label: swapped } : unchanged;
      if (injection === 'y_prior_skip')
        return unchanged.label === label && isSkipped ? null : unchanged;
      return features[column]! > median ? null : unchanged;
    }),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Returns the rows in random order. */
export function shuffled(dataset: Dataset, random: Random): Dataset {
  const order = random.permutation(dataset.rows.length);
  return {
    ...dataset,
    rows: order.map(index => dataset.rows[index]!),
    labels: order.map(index => dataset.labels[index]!),
  };
}

import type { ClassStatistics, WeightedKey } from './quality.ts';

/** Figures of a class, each between 0 and 1. One that is undefined is null. */
export interface ClassFigures {
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

/** How well a class is predicted. */
export interface FiguresOfClass {
  name: string;
  /** Rows with this label. */
  labelled: number;
  /** Rows with this prediction. */
  predicted: number;
  /** Sums of the weights of these rows. */
  weights: { labelled: number; predicted: number };
  figures: ClassFigures;
}

const none = { count: 0, weight: 0 };

/**
 * Returns the figures of each class that occurs as label or prediction, the most frequent label
 * first. precision = hits / predicted, recall = hits / labelled, F1 = their harmonic mean
 * = 2 hits / (predicted + labelled), all of them weighted. O(classes log classes).
 */
export function figuresOfClasses(statistics: ClassStatistics): FiguresOfClass[] {
  const labels = byKey(statistics.labels);
  const predictions = byKey(statistics.predictions);
  const hits = byKey(statistics.hits);
  const names = [...new Set([...labels.keys(), ...predictions.keys()])];
  const classes = names.map(name => {
    const [label, prediction] = [labels.get(name) ?? none, predictions.get(name) ?? none];
    const right = (hits.get(name) ?? none).weight;
    const weights = { labelled: label.weight, predicted: prediction.weight };
    const figures = {
      precision: share(right, weights.predicted),
      recall: share(right, weights.labelled),
      f1: share(2 * right, weights.predicted + weights.labelled),
    };
    return { name, labelled: label.count, predicted: prediction.count, weights, figures };
  });
  return classes.sort(
    (one, other) => other.labelled - one.labelled || (one.name < other.name ? -1 : 1),
  );
}

function byKey(keys: readonly WeightedKey[]) {
  return new Map(keys.map(([key, count, weight]) => [key, { count, weight }]));
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

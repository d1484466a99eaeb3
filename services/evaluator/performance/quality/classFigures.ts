import type { ClassStatistics } from './quality.ts';

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
  figures: ClassFigures;
}

/**
 * Returns the figures of each class that occurs as label or prediction, the most frequent label
 * first. precision = hits / predicted, recall = hits / labelled, F1 = their harmonic mean
 * = 2 hits / (predicted + labelled). O(classes log classes).
 */
export function figuresOfClasses(statistics: ClassStatistics): FiguresOfClass[] {
  const labels = new Map(statistics.labels);
  const predictions = new Map(statistics.predictions);
  const hits = new Map(statistics.hits);
  const names = [...new Set([...labels.keys(), ...predictions.keys()])];
  const classes = names.map(name => {
    const [labelled, predicted] = [labels.get(name) ?? 0, predictions.get(name) ?? 0];
    const right = hits.get(name) ?? 0;
    const figures = {
      precision: share(right, predicted),
      recall: share(right, labelled),
      f1: share(2 * right, predicted + labelled),
    };
    return { name, labelled, predicted, figures };
  });
  return classes.sort(
    (one, other) => other.labelled - one.labelled || (one.name < other.name ? -1 : 1),
  );
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

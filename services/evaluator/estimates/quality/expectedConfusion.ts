import type { Cell, Figure } from './figure.ts';

/** Expected counts of a window's confusion matrix. */
export interface ExpectedConfusion {
  records: number;
  /** Records for which each class is predicted. */
  predicted: readonly number[];
  /** Records whose label is each class. */
  labelled: readonly number[];
  /** Records for which each class is both. */
  hits: readonly number[];
}

/** Sums what is expected of the records of all cells. O(cells · classes). */
export function expectedConfusion(cells: readonly Cell[], classCount: number): ExpectedConfusion {
  const zeros = () => new Array<number>(classCount).fill(0);
  const [predicted, labelled, hits] = [zeros(), zeros(), zeros()];
  let records = 0;
  for (const cell of cells) {
    records += cell.records;
    for (let name = 0; name < classCount; name++) {
      const predictedRecords = cell.records * cell.predicted[name]!;
      predicted[name]! += predictedRecords;
      labelled[name]! += cell.records * cell.labels[name]!;
      hits[name]! += predictedRecords * cell.labels[name]!;
    }
  }
  return { records, predicted, labelled, hits };
}

/** accuracy = hits / records, over all classes. */
export function accuracyFigure({ records, hits }: ExpectedConfusion): Figure {
  return {
    value: hits.reduce((sum, count) => sum + count, 0) / records,
    slope: (label, { predicted }) => predicted[label]! / records,
  };
}

/** A figure of one class. It depends on the labels of no other class. */
export interface ClassFigure {
  value: number;
  /** Change with each further record of the class as label. */
  slope: number;
  /** Additional change if the class is predicted for that record as well. */
  slopeOfHit: number;
}

/** Figures of one class; null where a figure is undefined. */
export type ClassFigures = Record<'precision' | 'recall' | 'f1', ClassFigure | null>;

/**
 * precision = hits / predicted, recall = hits / labelled, F1 = 2 hits / (predicted + labelled).
 *
 * @param name index of the class
 */
export function figuresOfClass(confusion: ExpectedConfusion, name: number): ClassFigures {
  const predicted = confusion.predicted[name]!;
  const labelled = confusion.labelled[name]!;
  const hits = confusion.hits[name]!;
  const ratio = (part: number, whole: number, partPerHit: number, wholePerLabel: number) =>
    whole > 0
      ? {
          value: part / whole,
          slope: (-wholePerLabel * part) / whole ** 2,
          slopeOfHit: partPerHit / whole,
        }
      : null;
  return {
    precision: ratio(hits, predicted, 1, 0),
    recall: ratio(hits, labelled, 1, 1),
    f1: ratio(2 * hits, predicted + labelled, 2, 1),
  };
}

/**
 * Returns the unweighted mean of a figure over classes.
 *
 * @param figures by class; a class without a figure does not occur, and an undefined one counts as
 * 0
 */
export function macroAverage(figures: ReadonlyMap<number, ClassFigure | null>): Figure {
  const weight = 1 / figures.size;
  let value = 0;
  const slopes: number[] = [];
  const slopesOfHits: number[] = [];
  for (const [name, figure] of figures) {
    value += weight * (figure?.value ?? 0);
    slopes[name] = weight * (figure?.slope ?? 0);
    slopesOfHits[name] = weight * (figure?.slopeOfHit ?? 0);
  }
  return {
    value,
    slope: (label, { predicted }) =>
      (slopes[label] ?? 0) + (slopesOfHits[label] ?? 0) * predicted[label]!,
  };
}

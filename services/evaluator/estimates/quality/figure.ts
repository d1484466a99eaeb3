import { type Estimate, estimateWithin } from './estimate.ts';

/** Records of a window whose labels have the same probabilities. */
export interface Cell {
  records: number;
  /** Sum of the squared weights of the records; `records` if all weights are 1. */
  squares: number;
  /** Share of the records for which each class is predicted. */
  predicted: readonly number[];
  /** Probability of each class to be the label of a record. */
  labels: readonly number[];
  /** Number of the block of cells that share their probabilities, and so the error in them. */
  block: number;
  /** Records of the calibration from which the probabilities are known. */
  knownFrom: number;
}

/** Cells that share their probabilities. */
export interface Block {
  cells: readonly Cell[];
  /** Probability of each class, at some distance from 0 and 1. */
  probabilities: readonly number[];
  knownFrom: number;
}

/** A metric between 0 and 1 as a function of the labels in each cell. */
export interface Figure {
  /** The metric for the expected labels. */
  value: number;
  /** Change of the metric with each further record of a label in a cell (its derivative). */
  slope(label: number, cell: Cell): number;
}

/**
 * Groups cells into their blocks.
 *
 * @param priorRecords records with the same probability of every class that are added to those of
 * the calibration, because a share of 0 or 1 is not certain
 */
export function blocksOf(cells: readonly Cell[], priorRecords: number): Block[] {
  return [...Map.groupBy(cells, cell => cell.block).values()].map(members => {
    const { labels, knownFrom } = members[0]!;
    const probabilities = labels.map(
      share => (share * knownFrom + priorRecords / labels.length) / (knownFrom + priorRecords),
    );
    return { cells: members, probabilities, knownFrom };
  });
}

/**
 * Returns a figure with the interval that follows from two variances: of the labels in each cell
 * (multinomial), and of their probabilities, which are known from a calibration. The slopes carry
 * both over to the figure (delta method):
 *
 *     Σ_cells n V(s) + Σ_blocks V(Σ n s) / (m + 2),   V(s) = Σ_label p (s - Σ p s)²
 *
 * with n records in a cell (where they have weights w, Σw² in the first sum and Σw in the second), m
 * in the calibration, slopes s and probabilities p. O(cells · classes).
 */
export function estimateFigure(figure: Figure, blocks: readonly Block[]): Estimate {
  const classCount = blocks[0]?.probabilities.length ?? 0;
  const slopes = new Array<number>(classCount).fill(0);
  const slopesOfBlock = new Array<number>(classCount).fill(0);
  let variance = 0;
  for (const { cells, probabilities, knownFrom } of blocks) {
    slopesOfBlock.fill(0);
    for (const cell of cells) {
      for (let label = 0; label < classCount; label++) {
        slopes[label] = figure.slope(label, cell);
        slopesOfBlock[label]! += cell.records * slopes[label]!;
      }
      variance += cell.squares * varianceOf(slopes, probabilities);
    }
    variance += varianceOf(slopesOfBlock, probabilities) / (knownFrom + 2);
  }
  return estimateWithin(figure.value, variance);
}

function varianceOf(values: readonly number[], probabilities: readonly number[]): number {
  let mean = 0;
  for (let index = 0; index < values.length; index++)
    mean += probabilities[index]! * values[index]!;
  let variance = 0;
  for (let index = 0; index < values.length; index++)
    variance += probabilities[index]! * (values[index]! - mean) ** 2;
  return variance;
}

/** Returns the probability of class 1. */
export type Scorer = (features: readonly number[]) => number;

const steps = 15;
/** Weight of the penalty, which is half the squared weights. It is C = 1 of scikit-learn. */
const penalty = 1;

/**
 * Fits a logistic regression of two classes on standardised columns by Newton's method (iteratively
 * reweighted least squares; Hastie, Tibshirani and Friedman, The Elements of Statistical Learning,
 * section 4.4.1).
 */
export function logisticRegression(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
): Scorer {
  const columns = rows[0]!.map((_, column) => standardizer(rows.map(row => row[column]!)));
  const encode = (row: readonly number[]) => [
    1,
    ...row.map((value, column) => columns[column]!(value)),
  ];
  const encoded = rows.map(encode);
  const width = columns.length + 1;
  let weights = new Array<number>(width).fill(0);
  for (let step = 0; step < steps; step++) {
    // The intercept has no penalty, but a tiny one that keeps the system solvable.
    const hessian = Array.from({ length: width }, (_, i) =>
      Array.from({ length: width }, (_, j) => (i === j ? (i === 0 ? 1e-6 : penalty) : 0)),
    );
    const gradient = weights.map((weight, index) => (index === 0 ? 0 : -penalty * weight));
    for (const [index, row] of encoded.entries()) {
      const probability = sigmoid(dot(weights, row));
      const certainty = probability * (1 - probability);
      for (let i = 0; i < width; i++) {
        gradient[i]! += (labels[index]! - probability) * row[i]!;
        for (let j = 0; j < width; j++) hessian[i]![j]! += certainty * row[i]! * row[j]!;
      }
    }
    const change = solve(hessian, gradient);
    weights = weights.map((weight, index) => weight + change[index]!);
  }
  return features => sigmoid(dot(weights, encode(features)));
}

function standardizer(values: readonly number[]): (value: number) => number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.sqrt(variance) || 1;
  return value => (value - mean) / deviation;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, index) => sum + value * right[index]!, 0);
}

/** Solves a linear system by Gaussian elimination with partial pivoting. */
function solve(matrix: readonly (readonly number[])[], values: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, values[index]!]);
  for (let column = 0; column < rows.length; column++) {
    let pivot = column;
    for (let row = column + 1; row < rows.length; row++)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = 0; row < rows.length; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let k = column; k <= rows.length; k++) rows[row]![k]! -= factor * rows[column]![k]!;
    }
  }
  return rows.map((row, index) => row[rows.length]! / row[index]!);
}

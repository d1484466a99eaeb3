/**
 * Returns a function that solves A x = b for one symmetric, positive definite matrix A and any b.
 * The matrix is factored into L Lᵀ once, in O(n³ / 3), and each b then takes O(n²).
 *
 * A matrix that is not positive definite gives NaN. That the matrix is symmetric, and as large as
 * `size` says, is not checked; only its lower triangle is read.
 *
 * Source: Golub, Van Loan, "Matrix Computations", 4th ed., section 4.2.
 *
 * @param matrix A, row by row; it is overwritten with L, and stays as it was above the diagonal
 * @param size number of rows n
 * @example [...choleskySolver(Float64Array.of(4, 2, 2, 3), 2)([2, 1])] // [0.5, 0]
 */
export function choleskySolver(
  matrix: Float64Array,
  size: number,
): (right: ArrayLike<number>) => Float64Array {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column]!;
      for (let k = 0; k < column; k++) sum -= matrix[row * size + k]! * matrix[column * size + k]!;
      matrix[row * size + column] =
        row === column ? Math.sqrt(sum) : sum / matrix[column * size + column]!;
    }
  }
  return right => {
    const solution = Float64Array.from(right);
    for (let row = 0; row < size; row++) {
      for (let k = 0; k < row; k++) solution[row]! -= matrix[row * size + k]! * solution[k]!;
      solution[row]! /= matrix[row * size + row]!;
    }
    for (let row = size - 1; row >= 0; row--) {
      for (let k = row + 1; k < size; k++) solution[row]! -= matrix[k * size + row]! * solution[k]!;
      solution[row]! /= matrix[row * size + row]!;
    }
    return solution;
  };
}

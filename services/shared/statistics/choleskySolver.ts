/**
 * Solves A x = b for one symmetric, positive definite A and any b: A = L Lᵀ is factored once, O(n³ / 3), and each b costs O(n²).
 *
 * Golub, Van Loan, "Matrix Computations", section 4.2.
 *
 * @param matrix row by row; overwritten with L, above the diagonal left as it was
 * @example choleskySolver(Float64Array.of(4, 2, 2, 3), 2)([2, 1]); // [0.5, 0]
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

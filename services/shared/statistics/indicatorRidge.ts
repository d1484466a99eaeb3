import { choleskySolver } from './choleskySolver.ts';

/** Records as rows of a matrix X of zeros and ones. */
export interface Indicators {
  /**
   * The columns in which a record has a one; `perRecord` columns for each record, one record after
   * the other.
   */
  columns: Uint16Array;
  perRecord: number;
  columnCount: number;
}

export interface IndicatorFit {
  /** One coefficient per column; 0 for a column that no record has. */
  coefficients: Float64Array;
  /**
   * The R² of records that are left out of the fit, one at a time. It is at most 1, below 0 if the
   * mean predicts better than the fit, and NaN if the values do not vary.
   */
  explained: number;
}

/**
 * Fits a ridge regression of `values` on indicators and a constant; the constant is not penalised.
 *
 *     b = (S + ridge I)⁻¹ Xᵀ(y − ȳ)   for S = (X − x̄)ᵀ(X − x̄)
 *
 * A record that is left out changes its own residual e to e / (1 − h) for its leverage h = 1 / n +
 * (x − x̄)ᵀ (S + ridge I)⁻¹ (x − x̄), so that one fit gives the errors of all n fits without a
 * record.
 *
 * O(records · perRecord² + columns³). Sources: Hoerl, Kennard, Technometrics 12(1), 1970, pp.
 * 55-67; Allen, Technometrics 16(1), 1974, pp. 125-127 (PRESS). As scikit-learn's `Ridge`.
 *
 * @param values y, one number for each record, of at least two records
 * @param ridge above 0; it acts about like that many more records in each column with the mean
 * value
 * @example
 * const columns = Uint16Array.of(0, 0, 1, 1);
 * const indicators = { columns, perRecord: 1, columnCount: 2 };
 * [...indicatorRidge(indicators, Float64Array.of(1, 1, 3, 3), 1).coefficients]
 * // [-0.66667, 0.66667]
 */
export function indicatorRidge(
  indicators: Indicators,
  values: Float64Array,
  ridge: number,
): IndicatorFit {
  const { columnCount } = indicators;
  const means = columnMeans(indicators, values.length);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviations = values.map(value => value - mean);
  const products = new Float64Array(columnCount);
  for (const [record, deviation] of deviations.entries())
    for (const column of columnsOf(indicators, record)) products[column]! += deviation;
  // A record that is left out is predicted by the mean of the others.
  const meanWeight = values.length / (values.length - 1);
  const total = deviations.reduce((sum, deviation) => sum + (deviation * meanWeight) ** 2, 0);

  const factor = scatterOf(indicators, means, values.length, ridge);
  const coefficients = choleskySolver(factor, columnCount)(products);
  const residuals = residualsLeftOut(indicators, means, deviations, coefficients, factor);
  return {
    coefficients,
    explained: 1 - residuals.reduce((sum, residual) => sum + residual ** 2, 0) / total,
  };
}

function columnsOf({ columns, perRecord }: Indicators, record: number): Uint16Array {
  return columns.subarray(record * perRecord, (record + 1) * perRecord);
}

function columnMeans({ columns, columnCount }: Indicators, records: number): Float64Array {
  const means = new Float64Array(columnCount);
  for (const column of columns) means[column]! += 1;
  return means.map(count => count / records);
}

/** Returns S + ridge I, row by row. */
function scatterOf(
  indicators: Indicators,
  means: Float64Array,
  records: number,
  ridge: number,
): Float64Array {
  const size = means.length;
  const scatter = new Float64Array(size * size);
  for (let record = 0; record < records; record++) {
    const own = columnsOf(indicators, record);
    for (const row of own) for (const column of own) scatter[row * size + column]! += 1;
  }
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++)
      scatter[row * size + column]! -= records * means[row]! * means[column]!;
    scatter[row * size + row]! += ridge;
  }
  return scatter;
}

/**
 * Returns the residual of each record under the fit to all other records.
 *
 * @param factor the Cholesky triangle L of S + ridge I: a leverage is 1 / n plus the squared length
 * of L⁻¹ (x − x̄)
 */
function residualsLeftOut(
  indicators: Indicators,
  means: Float64Array,
  deviations: Float64Array,
  coefficients: Float64Array,
  factor: Float64Array,
): Float64Array {
  const size = means.length;
  const inverse = invertedTriangle(factor, size);
  const atMeans = new Float64Array(size);
  let fittedMean = 0;
  for (let column = 0; column < size; column++) {
    addColumn(atMeans, inverse, column, -means[column]!);
    fittedMean += means[column]! * coefficients[column]!;
  }
  return deviations.map((deviation, record) => {
    const solved = atMeans.slice();
    let fitted = -fittedMean;
    for (const column of columnsOf(indicators, record)) {
      addColumn(solved, inverse, column, 1);
      fitted += coefficients[column]!;
    }
    const leverage = 1 / deviations.length + solved.reduce((sum, value) => sum + value * value, 0);
    return (deviation - fitted) / (1 - leverage);
  });
}

/** Adds a column of a lower triangle, which starts at the diagonal, to `sums`. */
function addColumn(
  sums: Float64Array,
  triangle: Float64Array,
  column: number,
  weight: number,
): void {
  const start = column * sums.length;
  for (let row = column; row < sums.length; row++) sums[row]! += weight * triangle[start + row]!;
}

/**
 * Returns the inverse of a lower triangle that is given row by row. It is stored column by column,
 * as it is read.
 */
function invertedTriangle(triangle: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const start = column * size;
    for (let row = column; row < size; row++) {
      let sum = row === column ? 1 : 0;
      for (let k = column; k < row; k++) sum -= triangle[row * size + k]! * inverse[start + k]!;
      inverse[start + row] = sum / triangle[row * size + row]!;
    }
  }
  return inverse;
}

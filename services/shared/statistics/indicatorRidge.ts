import { choleskySolver } from './choleskySolver.ts';

/** Records as indicators: each has a 1 in the columns of its bins, and a 0 in all others. */
export interface Indicators {
  /** Columns that are 1, `perRecord` for each record. */
  columns: Uint16Array;
  perRecord: number;
  columnCount: number;
}

export interface IndicatorFit {
  /** One per column; 0 of a column that no record has. */
  coefficients: Float64Array;
  /** R² of records left out of the fit, one at a time: at most 1, below 0 where the mean tells more, NaN where nothing varies. */
  explained: number;
}

/**
 * Ridge regression of `values` on indicators and a constant that is not penalised (Hoerl, Kennard, Technometrics 12, 1970):
 * b = (S + ridge I)⁻¹ Xᵀ(y - ȳ), S = (X - x̄)ᵀ(X - x̄). A record left out changes its residual to e / (1 - h), with the leverage
 * h = 1 / n + (x - x̄)ᵀ (S + ridge I)⁻¹ (x - x̄) (Allen's PRESS, Technometrics 16, 1974). O(records · perRecord² + columns³).
 *
 * @param values one for each record
 * @param ridge above 0: about as if each column had so many more records, with the mean value
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
  // Without a record the mean of the others is its prediction.
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

/** Sums of products of columns less their means, row by row, with the ridge on the diagonal. */
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
 * Of each record the residual of the fit to all others.
 *
 * @param factor the triangle of Cholesky of S + ridge I: a leverage is 1 / n and the squared length of L⁻¹ (x - x̄)
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

/** Adds a column of a lower triangle, which begins on the diagonal. */
function addColumn(
  sums: Float64Array,
  triangle: Float64Array,
  column: number,
  weight: number,
): void {
  const start = column * sums.length;
  for (let row = column; row < sums.length; row++) sums[row]! += weight * triangle[start + row]!;
}

/** The inverse of a lower triangle that is given row by row: column by column, since it is read so. */
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

import { levelDigits } from '../../../shared/records/quantileLevel.ts';
import type { QuantileStatistics } from '../quality/quantileQuality.ts';
import { sumsByKey } from './sumsByKey.ts';

/**
 * Columns of a row with quantiles: (level, value, loss) of each one that is finite, and of the widest
 * central interval the share of labels that it should hold, 0 if there is none, and whether it holds
 * this one.
 */
export const quantilesOfRow = `
  if(fits AND isNotNull(label_number),
     arraySort(arrayFilter(quantile -> isFinite(quantile.2),
         arrayMap((level, value) -> (round(toFloat64OrZero(level), ${levelDigits}), value),
                  mapKeys(quantiles), mapValues(quantiles)))), []) AS levels,
  arrayMap(quantile -> if(label_number >= quantile.2,
               quantile.1 * (assumeNotNull(label_number) - quantile.2),
               (1 - quantile.1) * (quantile.2 - assumeNotNull(label_number))), levels) AS losses,
  arrayFirst(lower -> lower.1 < 0.5 AND has(levels.1, round(1 - lower.1, ${levelDigits})), levels) AS lower,
  levels[indexOf(levels.1, round(1 - lower.1, ${levelDigits}))] AS upper,
  if(lower.1 > 0, round(1 - 2 * lower.1, ${levelDigits}), 0) AS interval_level,
  ifNull(label_number BETWEEN lower.2 AND upper.2, false) AS is_inside`;

/** The columns of `quantileColumns` as they are read. */
export interface StoredQuantiles {
  losses_by_level: [number, number, number][];
  insides_by_level: [number, number, number][];
}

/** Columns of QuantileStatistics. */
export const quantileColumns = `
  ${sumsByKey('sumMap(levels.1, arrayMap(loss -> weight, losses), arrayMap(loss -> loss * weight, losses))', 2)}
      AS losses_by_level,
  ${sumsByKey('sumMapIf([interval_level], [weight], [weight * is_inside], interval_level > 0)', 2)}
      AS insides_by_level`;

export function quantilesOf(row: StoredQuantiles): QuantileStatistics {
  return { losses: row.losses_by_level, intervals: row.insides_by_level };
}

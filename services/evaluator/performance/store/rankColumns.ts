import type { OutputExpressions } from '../../../shared/output/outputExpressions.ts';
import type { OutputMeaning } from '../../../shared/output/outputMeaning.ts';
import type { RankStatistics } from '../quality/rankQuality.ts';
import { sumsByKey } from './sumsByKey.ts';

/**
 * Columns of a row with a ranked list: its length, 0 if there is none, and the place of the label in
 * it, 0 if it is not there. Probabilities of more than two classes are a list of all of them, of
 * which the last place says nothing. Of equal probabilities the class that is last in the order of
 * names is first, as in scikit-learn.
 */
export function placeInRanking({ task }: OutputMeaning, { classNamed }: OutputExpressions): string {
  const places = `if(has(ranking, label), indexOf(ranking, label),
                     indexOf(arrayMap(name -> ${classNamed('name')}, ranking), label_class))`;
  if (task === 'binary') {
    return `if(fits, length(ranking), toUInt64(0)) AS list_size,
            if(list_size = 0, 0, ${places}) AS place`;
  }
  return `if(empty(given_classes), mapKeys(probabilities), given_classes) AS listed_names,
          if(empty(given_classes), label, label_class) AS name_of_label,
          (usable AND length(given) > 2 AND empty(ranking)) AS are_ranked,
          multiIf(NOT fits, toUInt64(0), are_ranked, toUInt64(length(given) - 1), length(ranking)) AS list_size,
          toUInt64(multiIf(list_size = 0 OR (are_ranked AND NOT has(listed_names, name_of_label)), 0,
                  are_ranked,
                  1 + arrayCount((name, p) -> p > probability
                                 OR (p = probability AND name > name_of_label), listed_names, given),
                  ${places})) AS place`;
}

/** The columns of `rankColumns` as they are read. */
export interface StoredRanks {
  listed_weight: number;
  list_length: number;
  hits_by_place: [number, number][];
  reciprocal_sum: number;
}

/** Columns of RankStatistics. */
export const rankColumns = `
  sumIf(weight, list_size > 0) AS listed_weight,
  max(list_size) AS list_length,
  ${sumsByKey('sumMapIf([place], [weight], place BETWEEN 1 AND 10)', 1)} AS hits_by_place,
  sumIf(weight / place, place > 0) AS reciprocal_sum`;

export function ranksOf(row: StoredRanks): RankStatistics {
  return {
    weight: row.listed_weight,
    length: row.list_length,
    hits: row.hits_by_place,
    reciprocalSum: row.reciprocal_sum,
  };
}

import { ratio } from './ratio.ts';

/** Sums over the rows with a ranked list of classes. */
export interface RankStatistics {
  /** Their weight. */
  weight: number;
  /** The highest k for which the k best of a list say anything; 0 if there are no lists. */
  length: number;
  /** Weight of the rows whose label is at a place of the list, from 1 on, up to 10. */
  hits: readonly (readonly [place: number, weight: number])[];
  /** Sum of 1 / place of the label, 0 where the list does not have it. */
  reciprocalSum: number;
}

/** Figures of ranked lists. One that is undefined is null. */
export interface RankQuality {
  /** Share of the labels that are among the first 1, 3, 5 or 10 of a list. */
  topAccuracy: Readonly<Record<1 | 3 | 5 | 10, number | null>>;
  /** Mean of 1 / place of the label in the list. */
  meanReciprocalRank: number | null;
}

export const noRankFigures: RankQuality = {
  topAccuracy: { 1: null, 3: null, 5: null, 10: null },
  meanReciprocalRank: null,
};

/**
 * Computes the share of labels among the first k (scikit-learn, top_k_accuracy_score), for k up to
 * the length of the lists, and the mean of 1 / place (Voorhees, TREC-8, 1999).
 */
export function rankQuality({ weight, length, hits, reciprocalSum }: RankStatistics): RankQuality {
  const accuracyAt = (k: number) => {
    const within = hits.reduce((sum, [place, hit]) => (place <= k ? sum + hit : sum), 0);
    return k > length ? null : ratio(within, weight);
  };
  return {
    topAccuracy: { 1: accuracyAt(1), 3: accuracyAt(3), 5: accuracyAt(5), 10: accuracyAt(10) },
    meanReciprocalRank: ratio(reciprocalSum, weight),
  };
}

import { ratio } from './ratio.ts';

/** Sums over the rows with predicted quantiles. */
export interface QuantileStatistics {
  /** Sums of the weights and of the pinball losses of each level. */
  losses: readonly (readonly [level: number, weight: number, loss: number])[];
  /**
   * Of the widest central interval of each row: by the share of labels that it should hold, the
   * weight of the rows, and of those whose label it holds.
   */
  intervals: readonly (readonly [level: number, weight: number, inside: number])[];
}

/** Figures of predicted quantiles. One that is undefined is null. */
export interface QuantileQuality {
  pinballLoss: number | null;
  /** Share of the labels within the widest central interval. */
  intervalCoverage: number | null;
  /** The share that should be. */
  intervalLevel: number | null;
}

export const noQuantileFigures: QuantileQuality = {
  pinballLoss: null,
  intervalCoverage: null,
  intervalLevel: null,
};

/**
 * Computes the mean over the levels of the pinball loss (scikit-learn, mean_pinball_loss), and the
 * coverage of the widest central interval, such as the one from 0.1 to 0.9. Rows without it do not
 * count there.
 */
export function quantileQuality({ losses, intervals }: QuantileStatistics): QuantileQuality {
  const means = losses.map(([, weight, loss]) => loss / weight);
  const [widest] = intervals.toSorted(([one], [other]) => other - one);
  return {
    pinballLoss: ratio(
      means.reduce((sum, mean) => sum + mean, 0),
      means.length,
    ),
    intervalCoverage: widest ? widest[2] / widest[1] : null,
    intervalLevel: widest ? widest[0] : null,
  };
}

import { normalSurvival } from '../../shared/statistics/normalSurvival.ts';
import { compared, shown } from './gate.ts';
import type { Losses } from './losses.ts';
import { effectiveValues, type MeanInterval, meanInterval, weightedMean } from './meanInterval.ts';

/** What rows that came so far say of a challenger. */
export interface AnytimeComparison {
  /** `worse` by more than the margin, which is too small to matter otherwise. */
  verdict: 'better' | 'worse' | 'undecided';
  /** The numbers, as a sentence. */
  sentence: string;
  /** Of the champion's loss minus the challenger's; null as long as too few rows are there. */
  interval: MeanInterval | null;
}

/** Probability that the mean is outside at any of the looks. */
const errorProbability = 0.05;
const confidence = 1 - errorProbability;
/** Compared with those of a single look, the intervals are the narrowest after so many rows. */
const rowsWhereNarrowest = 2000;
/** n · ρ² where they are the narrowest with this error probability. */
const narrowestSpread = 7.9;

/** With fewer rows, blocks are too short to show how neighbouring rows depend on each other. */
export const minAnytimeRows = 500;

/**
 * Compares two models on the same rows in the order of event time, which may be looked at whenever
 * rows have come. A challenger that is no better is called better at any of the looks with a
 * probability of 5 % at most, and one that is not worse is called worse so seldom, too.
 * @param rule what is called better: a lower loss, or one that is not higher than the margin
 * @param champions begins what is said of the champion's loss
 */
export function anytimeComparison(
  losses: Losses,
  rule: 'better' | 'not-worse' = 'better',
  champions = "the champion's is",
): AnytimeComparison {
  const { name, champion, challenger, weights, entities, margin } = losses;
  const effective = Math.floor(effectiveValues(champion, weights));
  const differences = champion.map((value, row) => value - challenger[row]!);
  if (effective < minAnytimeRows || !differences.every(Number.isFinite))
    return { verdict: 'undecided', sentence: tooFew(effective), interval: null };
  const interval = anytimeInterval(differences, weights, entities);
  const { mean, low, high } = interval;
  const isBetter = rule === 'better' ? low > 0 : low >= -margin;
  const isWorse = high < 0 && mean < -margin;
  const said = compared(interval, confidence);
  return {
    verdict: isBetter ? 'better' : isWorse ? 'worse' : 'undecided',
    sentence:
      `On the same ${champion.length} rows, its ${name} is ` +
      `${shown(weightedMean(challenger, weights))}, and ${champions} ` +
      `${shown(weightedMean(champion, weights))}: it is ${said}, however often one looks.`,
    interval,
  };
}

function tooFew(rows: number): string {
  return `${rows} rows with labels tell something, but at least ${minAnytimeRows} are needed.`;
}

/**
 * Returns an interval that contains the mean at all looks together with a probability of 95 %,
 * however often one looks while values come, and whenever one stops.
 *
 * It is the interval of `meanInterval` with the half width of the asymptotic confidence sequence, in
 * standard errors: √(2 (1 + 1 / nρ²) · ln(√(nρ² + 1) / α)). Source: Waudby-Smith, Arbour, Sinha,
 * Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals
 * of Statistics 52 (2024). Values need no bounds. They may depend on their neighbours and on their
 * entity, because the variance is that of blocks and of entities. As those are few, Student's
 * quantile of the same probability takes the place of the normal one.
 */
export function anytimeInterval(
  values: readonly number[],
  weights: readonly number[] | null,
  entities: readonly string[] | null,
): MeanInterval {
  return meanInterval(values, pointwiseLevel(values.length), weights, entities);
}

/**
 * Returns the level at which the interval of a single look is as wide as that of the sequence.
 * @example pointwiseLevel(2000) // 0.99759
 */
export function pointwiseLevel(rows: number): number {
  const spread = (narrowestSpread * rows) / rowsWhereNarrowest;
  const standardErrors = Math.sqrt(
    2 * (1 + 1 / spread) * Math.log(Math.sqrt(spread + 1) / errorProbability),
  );
  return 1 - 2 * normalSurvival(standardErrors);
}

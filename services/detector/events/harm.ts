import { lossReach, minRowsOfLoss } from '../../shared/lossReach.ts';
import { mergePerformance, type WindowPerformance } from '../blocks/windowObservation.ts';
import { type ClassRate, classRate, minReferenceOfClass } from '../families/classStatistic.ts';
import { percent, quoted, shown } from '../families/evidence.ts';

/** What a drift has done to the quality of a model. Never changed once made. */
export interface Harm {
  /** The labelled predictions from before the drift; null if they are too few to compare with. */
  before: WindowPerformance | null;
  /** Distance of the outputs from the first reference before the drift; null if it is unknown. */
  outputsBefore: number | null;
  /** The labels since the drift began, or since the last judgement. */
  recent: WindowPerformance | null;
  recentOutputs: MeanDistance;
  /** The labels that were judged last; null if none were. */
  judged: WindowPerformance | null;
  /** The distance of the outputs that was judged last; null if none was. */
  judgedOutputs: number | null;
  /** What the last judgement said; unknown before the first one. */
  standing: 'unknown' | 'left' | 'over';
  /** Whether any judgement has found harm. */
  wasFound: boolean;
}

/** A mean of distances over records. */
interface MeanDistance {
  records: number;
  sum: number;
}

/** What a window shows of the quality of a model. */
export interface WindowQuality {
  performance: WindowPerformance | null;
  /** Distance of its outputs from the first reference, with its records; null if it is unknown. */
  outputs: { distance: number; records: number } | null;
}

/** Labels that are judged by their mean alone, because chance no longer lets them be undecided. */
const maxRowsUndecided = 10 * minRowsOfLoss;
/** One-sided quantile of 1 % of the normal distribution. */
const quantile = 2.326;
/** Outputs are as before up to this PSI more; below it a shift counts as small in credit scoring. */
const toleratedDistance = 0.1;
const noOutputs: MeanDistance = { records: 0, sum: 0 };

/**
 * Returns the harm of a drift that begins.
 * @param usual the labelled predictions before it
 * @param outputsBefore as in `Harm`
 */
export function begunHarm(usual: WindowPerformance | null, outputsBefore: number | null): Harm {
  return {
    before: usual !== null && usual.labelled >= minRowsOfLoss ? usual : null,
    outputsBefore,
    recent: null,
    recentOutputs: noOutputs,
    judged: null,
    judgedOutputs: null,
    standing: 'unknown',
    wasFound: false,
  };
}

/**
 * Returns the harm after the next window. Labels decide where there were enough of them before the
 * drift, and otherwise the outputs do. They are gathered until they decide, and then anew, so that
 * a judgement is about the newest ones.
 *
 * @param classes those that became worse by themselves: they have to be back, too
 */
export function followHarm(harm: Harm, window: WindowQuality, classes: readonly string[]): Harm {
  return harm.before === null ? followOutputs(harm, window) : followLoss(harm, window, classes);
}

/** Returns whether neither labels nor outputs can tell the harm. */
export function hasNothingToTell({ before, judgedOutputs, recentOutputs }: Harm): boolean {
  return before === null && judgedOutputs === null && recentOutputs.records === 0;
}

function followLoss(harm: Harm, { performance }: WindowQuality, classes: readonly string[]): Harm {
  if (performance === null || performance.labelled === 0) return harm;
  const recent = mergePerformance(harm.recent, performance)!;
  const standing = lossStanding(harm.before!, recent, classes);
  if (standing === null) return { ...harm, recent };
  const wasFound = harm.wasFound || standing === 'left';
  return { ...harm, recent: null, judged: recent, standing, wasFound };
}

function followOutputs(harm: Harm, { outputs }: WindowQuality): Harm {
  if (outputs === null) return harm;
  const records = harm.recentOutputs.records + outputs.records;
  const sum = harm.recentOutputs.sum + outputs.records * outputs.distance;
  if (records < minRowsOfLoss) return { ...harm, recentOutputs: { records, sum } };
  const judgedOutputs = sum / records;
  const isOver = judgedOutputs <= (harm.outputsBefore ?? 0) + toleratedDistance;
  return {
    ...harm,
    recentOutputs: noOutputs,
    judgedOutputs,
    standing: isOver ? 'over' : 'left',
    wasFound: harm.wasFound || !isOver,
  };
}

/** A mean before a drift and now, in the unit of a loss: the higher, the worse. */
interface Figure {
  before: number;
  now: number;
  /** Standard error of their difference. */
  standardError: number;
  isRate: boolean;
}

/**
 * Returns whether the loss of labels is within reach of that of others; null while chance leaves it
 * open.
 *
 * - The harm is left if the difference is beyond reach with 99 % confidence, in any figure.
 * - It is over if each figure is within reach, and with 99 % confidence within twice as much.
 * - After 2,000 labels the figures themselves decide.
 *
 * @param classes those whose recall and precision have to be back as well
 */
export function lossStanding(
  before: WindowPerformance,
  recent: WindowPerformance,
  classes: readonly string[],
): 'left' | 'over' | null {
  if (recent.labelled < minRowsOfLoss) return null;
  const figures = [lossFigure(before, recent), ...classFigures(before, recent, classes)];
  if (figures.some(isBeyondReach)) return 'left';
  if (figures.every(isWithinReach)) return 'over';
  if (recent.labelled < maxRowsUndecided) return null;
  return figures.every(({ before: mean, now, isRate }) => now <= lossReach(mean, isRate))
    ? 'over'
    : 'left';
}

function isBeyondReach({ before, now, standardError, isRate }: Figure): boolean {
  return now - quantile * standardError > lossReach(before, isRate);
}

function isWithinReach({ before, now, standardError, isRate }: Figure): boolean {
  const reach = lossReach(before, isRate);
  return now <= reach && now + quantile * standardError <= 2 * reach - before;
}

function lossFigure(before: WindowPerformance, recent: WindowPerformance): Figure {
  const [earlier, later] = [before, recent].map(({ labelled, lossSum, lossSquareSum }) => {
    const mean = lossSum / labelled;
    return { mean, ofMean: Math.max(0, lossSquareSum / labelled - mean * mean) / labelled };
  });
  return {
    before: earlier!.mean,
    now: later!.mean,
    standardError: Math.sqrt(earlier!.ofMean + later!.ofMean),
    isRate: recent.task !== 'regression',
  };
}

/** Returns how much of each class is missed, and how much of its predictions is wrong. */
function classFigures(
  before: WindowPerformance,
  recent: WindowPerformance,
  classes: readonly string[],
): Figure[] {
  const rates: readonly ClassRate[] = ['recall', 'precision'];
  return classes.flatMap(name =>
    rates.flatMap(rate => {
      const [earlier, later] = [before, recent].map(performance =>
        classRate(performance, name, rate),
      );
      if (earlier!.total < minReferenceOfClass || later!.total === 0) return [];
      const [one, other] = [earlier!, later!].map(({ hits, total }) => {
        const mean = 1 - hits / total;
        return { mean, ofMean: (mean * (1 - mean)) / total };
      });
      const standardError = Math.sqrt(one!.ofMean + other!.ofMean);
      return [{ before: one!.mean, now: other!.mean, standardError, isRate: true }];
    }),
  );
}

/**
 * Says what is known of the harm.
 *
 * @example 'The error rate was 12.1 % before the drift, and is 23 % of the newest 240 labels.'
 */
export function harmStatement(harm: Harm, classes: readonly string[]): string {
  const { before, judged, judgedOutputs, outputsBefore } = harm;
  if (before === null) {
    if (judgedOutputs === null) return 'There are neither labels nor outputs to tell its harm.';
    const index = (value: number) => Math.max(0, value).toFixed(2);
    return (
      'There are too few labels from before to tell its harm. The distance of the outputs from ' +
      `the first reference was a PSI of ${index(outputsBefore ?? 0)} before, and is ${index(judgedOutputs)}.`
    );
  }
  if (judged === null) return 'Too few labels have come since to tell its harm.';
  const classesSay = classes.flatMap(name => {
    const [earlier, later] = [before, judged].map(performance =>
      classRate(performance, name, 'recall'),
    );
    if (earlier!.total === 0 || later!.total === 0) return [];
    const [was, is] = [earlier!, later!].map(({ hits, total }) => percent(hits / total));
    return [`, and the recall of class ${quoted(name)} was ${was} and is ${is}`];
  });
  return `${lossStatement(before, judged)}${classesSay.join('')}.`;
}

/** Says what the loss was before a drift and what it is now, without the full stop. */
export function lossStatement(before: WindowPerformance, now: WindowPerformance): string {
  const isRegression = now.task === 'regression';
  const text = ({ lossSum, labelled }: WindowPerformance) =>
    (isRegression ? shown : percent)(lossSum / labelled);
  const name = isRegression ? 'mean absolute error' : 'error rate';
  return (
    `The ${name} was ${text(before)} before the drift, and is ${text(now)} of the newest ` +
    `${now.labelled} labels`
  );
}

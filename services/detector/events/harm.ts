import { lossReach, minRowsOfLoss } from '../../shared/lossReach.ts';
import type { Rate } from '../../shared/statistics/rateIncrease.ts';
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
  const standing = lossStanding(harm.before!, recent, rateFigures(harm.before!, recent, classes));
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
export interface Figure {
  before: number;
  now: number;
  /** Center of the interval of the mean now. */
  center: number;
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
 * @param ofClasses figures of classes that have to be back as well
 */
export function lossStanding(
  before: WindowPerformance,
  recent: WindowPerformance,
  ofClasses: readonly Figure[],
): 'left' | 'over' | null {
  if (recent.labelled < minRowsOfLoss) return null;
  const figures = [lossFigure(before, recent), ...ofClasses];
  if (figures.some(isBeyondReach)) return 'left';
  if (figures.every(isWithinReach)) return 'over';
  if (recent.labelled < maxRowsUndecided) return null;
  return figures.every(({ before: mean, now, isRate }) => now <= lossReach(mean, isRate))
    ? 'over'
    : 'left';
}

function isBeyondReach({ before, center, standardError, isRate }: Figure): boolean {
  return center - quantile * standardError > lossReach(before, isRate);
}

function isWithinReach({ before, now, center, standardError, isRate }: Figure): boolean {
  const reach = lossReach(before, isRate);
  return now <= reach && center + quantile * standardError <= 2 * reach - before;
}

function lossFigure(before: WindowPerformance, recent: WindowPerformance): Figure {
  const meanLoss = ({ labelled, lossSum, lossSquareSum }: WindowPerformance): Mean => {
    const value = lossSum / labelled;
    return {
      value,
      center: value,
      variance: Math.max(0, lossSquareSum / labelled - value * value) / labelled,
    };
  };
  return figureOf(meanLoss(before), meanLoss(recent), recent.task !== 'regression');
}

/** A mean, with the center of its confidence interval and the square of its standard error. */
interface Mean {
  value: number;
  center: number;
  variance: number;
}

function figureOf(before: Mean, now: Mean, isRate: boolean): Figure {
  const standardError = Math.sqrt(before.variance + now.variance);
  return { before: before.value, now: now.value, center: now.center, standardError, isRate };
}

/** Returns how much of each class is missed, and how much of its predictions is wrong. */
export function rateFigures(
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
      return [figureOf(missesOf(earlier!), missesOf(later!), true)];
    }),
  );
}

/**
 * Returns 1 − F1 of each class. Another version may find more of a class at the price of more false
 * alarms, or the other way round, and be as good.
 */
export function balancedFigures(
  before: WindowPerformance,
  recent: WindowPerformance,
  classes: readonly string[],
): Figure[] {
  return classes.flatMap(name => {
    const [earlier, later] = [before, recent].map(performance => countsOfClass(performance, name));
    const isKnown = earlier!.hits + earlier!.errors >= minReferenceOfClass;
    if (!isKnown || later!.hits + later!.errors === 0) return [];
    return [figureOf(imbalanceOf(earlier!), imbalanceOf(later!), true)];
  });
}

/**
 * Hits and errors that an interval counts more, each, so that a few records which are all alike are
 * not taken for certain (Agresti, Coull, The American Statistician 52, 1998).
 */
const cautious = 2;

/** Returns the share of misses. */
function missesOf({ hits, total }: Rate): Mean {
  const records = total + 2 * cautious;
  const center = 1 - (hits + cautious) / records;
  return { value: 1 - hits / total, center, variance: (center * (1 - center)) / records };
}

/** Right predictions of a class, and labels and predictions of it without the other. */
interface ClassCounts {
  hits: number;
  errors: number;
}

function countsOfClass(performance: WindowPerformance, name: string): ClassCounts {
  const recall = classRate(performance, name, 'recall');
  const precision = classRate(performance, name, 'precision');
  return { hits: recall.hits, errors: recall.total + precision.total - 2 * recall.hits };
}

/**
 * Returns 1 − F1 = errors / (2 hits + errors). Its variance is that of a ratio of sums over records
 * (Cochran, Sampling Techniques, section 6.3).
 */
function imbalanceOf({ hits, errors }: ClassCounts): Mean {
  const [right, wrong] = [hits + cautious, errors + cautious];
  const all = 2 * right + wrong;
  const center = wrong / all;
  const squares = right * (2 * center) ** 2 + wrong * (1 - center) ** 2;
  return { value: errors / (2 * hits + errors), center, variance: squares / all ** 2 };
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

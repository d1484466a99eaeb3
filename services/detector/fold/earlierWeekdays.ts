import { validCounts } from '../../shared/bins/countVector.ts';
import { logChiSquaredSurvival } from '../../shared/statistics/chiSquaredSurvival.ts';
import { likelihoodRatioTest } from '../../shared/statistics/likelihoodRatioTest.ts';
import type { Block } from '../blocks/block.ts';
import { variableKey } from '../blocks/windowObservation.ts';
import { rateOfMetric } from '../families/classFamily.ts';
import { classRate } from '../families/classStatistic.ts';
import type { Evidence } from '../families/evidence.ts';
import type { LongLevel } from './foldState.ts';

/** Days before these are not looked at. */
const maxDays = 56;
/** A weekday differs from the other days if their difference is less probable than this. */
const maxOrdinaryPValue = 0.01;
/** The present day is like an earlier weekday if the difference is at least this probable. */
const minLikePValue = 0.001;
/** The same for another weekday, as which a holiday may look. */
const minLikeOtherPValue = 0.05;

const weekdayNames = [
  'Sundays',
  'Mondays',
  'Tuesdays',
  'Wednesdays',
  'Thursdays',
  'Fridays',
  'Saturdays',
];

/**
 * Says that what the windows show is what a weekday is like: the present day so far is like earlier
 * days of one weekday, and that weekday differs from the other days. Null if it is not, or if no
 * whole day was counted yet.
 *
 * @param days the level of days, with the present window
 * @param evidence of a family, about the windows
 */
export function weekdayStatement(days: LongLevel, evidence: Evidence): string | null {
  const today = days.filling?.block;
  if (!today || !days.regime) return null;
  const earlier = days.regime.history.filter(({ given }) => !given).slice(-maxDays);
  if (earlier.length === 0) return null;
  const weekdays = new Set<string>();
  for (const countsOf of countsBehind(evidence, [today, ...earlier])) {
    const weekday = likeWeekday(today, earlier, countsOf);
    if (weekday === null) return null;
    weekdays.add(weekday);
  }
  return `The day so far is like earlier ${[...weekdays].join(' and ')}.`;
}

type CountsOf = (block: Block) => readonly number[] | null;

/**
 * Returns the counts that each change of some evidence is about. They have the same bins in all of
 * the blocks.
 */
function countsBehind(
  { family, contributions, feature, metric }: Evidence,
  blocks: readonly Block[],
): CountsOf[] {
  if (family === 'features' || family === 'predictions') {
    const kind = family === 'features' ? 'feature' : 'output';
    return Object.keys(contributions).map(name => ({ variables }) => {
      const counts = variables.get(variableKey(kind, name))?.counts;
      return counts ? validCounts(counts) : null;
    });
  }
  if (family === 'labels') {
    const classes = labelledClasses(blocks);
    return [
      ({ performance }) =>
        performance && classes.map(name => performance.labelCounts.get(name) ?? 0),
    ];
  }
  if (family === 'error')
    return [
      ({ performance }) =>
        performance && performance.task !== 'regression'
          ? [performance.lossSum, performance.labelled - performance.lossSum]
          : null,
    ];
  if (family === 'class_error')
    return [
      ({ performance }) => {
        if (!performance) return null;
        const { hits, total } = classRate(performance, feature!, rateOfMetric(metric));
        return [hits, total - hits];
      },
    ];
  return [() => null];
}

/** Returns the classes that the labels of any of the blocks name. */
function labelledClasses(blocks: readonly Block[]): string[] {
  const names = blocks.flatMap(({ performance }) => [...(performance?.labelCounts.keys() ?? [])]);
  return [...new Set(names)];
}

/** Returns the weekday that the present day is like; null if there is none. */
function likeWeekday(today: Block, earlier: readonly Block[], countsOf: CountsOf): string | null {
  const now = countsOf(today);
  if (!now) return null;
  const sums = weekdayNames.map(() => null as number[] | null);
  for (const block of earlier) {
    const counts = countsOf(block);
    if (!counts || counts.length !== now.length) continue;
    const day = weekdayOf(block.startMs);
    sums[day] = sums[day]?.map((count, bin) => count + counts[bin]!) ?? [...counts];
  }
  const own = weekdayOf(today.startMs);
  for (const day of [own, ...weekdayNames.keys()]) {
    const likePValue = day === own ? minLikePValue : minLikeOtherPValue;
    const there = sums[day];
    if (!there || pValueOf(there, now) < likePValue) continue;
    const others = sums.reduce<number[]>(
      (total, counts, index) =>
        index === day || !counts ? total : total.map((count, bin) => count + counts[bin]!),
      now.map(() => 0),
    );
    if (pValueOf(others, there) < maxOrdinaryPValue) return weekdayNames[day]!;
  }
  return null;
}

function pValueOf(reference: readonly number[], recent: readonly number[]): number {
  const { statistic, degreesOfFreedom } = likelihoodRatioTest([...reference], [...recent]);
  return degreesOfFreedom === 0 ? 1 : Math.exp(logChiSquaredSurvival(statistic, degreesOfFreedom));
}

/** Returns the weekday of a time in UTC, from 0 for Sunday. */
function weekdayOf(timeMs: number): number {
  return new Date(timeMs).getUTCDay();
}

/** Returns whether a time is on a Saturday or Sunday in UTC. */
export function isWeekend(timeMs: number): boolean {
  return weekdayOf(timeMs) % 6 === 0;
}

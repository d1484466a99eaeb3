import { median } from 'simple-statistics';
import type { Line, Target } from './measurement.ts';

/** A line of the table, and of the JSON file. */
export interface Summary {
  name: string;
  /** Medians over the rounds. */
  value: number;
  unit: string;
  baseline: number | null;
  /** Median of the ratios of the rounds. A machine that is slow for a while is so for both. */
  ratio: number | null;
  target: Target | null;
  /** null if there is no target. */
  met: boolean | null;
  /** Lowest and highest ratio of the rounds, or value if there is no baseline. */
  spread: [lowest: number, highest: number];
  rounds: number;
  note: string | null;
}

/**
 * @example summarise({ name: 'a', unit: 's', rounds: [{ value: 3, baseline: 2 }], target: { atLeast: 1 } }).ratio // 1.5
 */
export function summarise({ name, unit, rounds, target, note }: Line): Summary {
  const ratios = rounds.flatMap(({ value, baseline }) =>
    baseline === null ? [] : [value / baseline],
  );
  const judged = ratios.length > 0 ? ratios : rounds.map(({ value }) => value);
  return {
    name,
    value: median(rounds.map(({ value }) => value)),
    unit,
    baseline: ratios.length > 0 ? median(rounds.map(({ baseline }) => baseline!)) : null,
    ratio: ratios.length > 0 ? median(ratios) : null,
    target,
    met: target && isMet(target, median(judged)),
    spread: [Math.min(...judged), Math.max(...judged)],
    rounds: rounds.length,
    note: note ?? null,
  };
}

function isMet(target: Target, figure: number): boolean {
  return 'atLeast' in target ? figure >= target.atLeast : figure <= target.atMost;
}

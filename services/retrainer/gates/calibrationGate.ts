import type { Task } from '../../shared/task.ts';
import { entitiesOf, type Gate, type GateRow, gate, share, weightsOf } from './gate.ts';
import { type MeanInterval, meanInterval } from './meanInterval.ts';

/** A mean probability may be so far beside the share, and so much farther than the champion's. */
const maxOffset = 0.05;
const level = 0.95;

/**
 * Requires that the probabilities of a challenger with two classes are right on the mean: that they
 * do not clearly lie more than 5 points beside the share of the class, or 5 points farther than the
 * champion's if those lie beside it, too.
 */
export function judgeCalibration(task: Task, rows: readonly GateRow[]): Gate[] {
  if (task !== 'binary') return [];
  const label = rows[0]!.truth.label;
  const challenger = offset(rows, label, row => row.challengerProbability);
  if (challenger === null) return [];
  const champion = offset(rows, label, row => row.championProbability);
  const isOff = distance(challenger) > maxOffset + Math.abs(champion?.mean ?? 0);
  return [
    {
      ...gate(
        isOff ? 'failed' : 'passed',
        'Calibration',
        `The challenger's mean probability of ${label} lies ${beside(challenger)} its share` +
          `${champion === null ? '' : `, and the champion's ${beside(champion)} it`}.`,
      ),
      metrics: { challengerOffset: challenger.mean },
    },
  ];
}

/** Returns mean probability minus share of a class, or null where a row has no probability. */
function offset(
  rows: readonly GateRow[],
  label: string,
  probabilityOf: (row: GateRow) => number | null | undefined,
): MeanInterval | null {
  const offsets: number[] = [];
  for (const row of rows) {
    const probability = probabilityOf(row);
    if (probability === null || probability === undefined) return null;
    // Both are about the true class, and 1 − p is the probability of the other one.
    offsets.push(row.truth.label === label ? probability - 1 : 1 - probability);
  }
  return meanInterval(offsets, level, weightsOf(rows), entitiesOf(rows));
}

/** Returns how far from 0 an interval lies. */
function distance({ low, high }: MeanInterval): number {
  return Math.max(0, low, -high);
}

function beside({ mean }: MeanInterval): string {
  return `${share(Math.abs(mean))} ${mean < 0 ? 'below' : 'above'}`;
}

import { mostFrequentFirst } from '../../shared/mostFrequentFirst.ts';
import type { Task } from '../../shared/task.ts';
import { entitiesOf, type Gate, type GateRow, gate, share, weightsOf } from './gate.ts';
import type { PastLabel } from './losses.ts';
import { meanInterval, weightedMean } from './meanInterval.ts';

/** A class is lost if less than this part of the champion's recall or precision is left. */
const keptShare = 0.5;
/** Rows of a class that say something of how well it is found. */
const minRowsOfClass = 5;
const maxClasses = 20;
const maxNamedClasses = 10;
const level = 0.9;

/**
 * Requires that the challenger still finds the classes that the champion finds: at least half of
 * its recall and of its precision is left. Of two classes that has to be shown; of several it is
 * enough that no loss shows, because some are always too small.
 * @param past labels of the rows before the gate rows
 */
export function judgeClasses(
  task: Task,
  rows: readonly GateRow[],
  past: readonly PastLabel[],
): Gate[] {
  if (task === 'regression') return [];
  const counts = new Map<string, number>();
  for (const { label } of past) counts.set(label, 0);
  for (const { truth } of rows) counts.set(truth.label, (counts.get(truth.label) ?? 0) + 1);
  const isSmall = ([, count]: [string, number]) => count < minRowsOfClass;
  const frequentFirst = mostFrequentFirst(counts);
  return [
    ...frequentFirst
      .filter(found => !isSmall(found))
      .slice(0, maxClasses)
      .map(([label, count]) => judgeClass(task, rows, label, count)),
    ...smallClasses(task, frequentFirst.filter(isSmall)),
  ];
}

/** Names the classes that cannot be judged. Of two classes each one has to be judged. */
function smallClasses(task: Task, classes: readonly [string, number][]): Gate[] {
  if (classes.length === 0) return [];
  const named = classes
    .slice(0, maxNamedClasses)
    .map(([label, count]) => `${label} (${count} rows)`)
    .join(', ');
  const more =
    classes.length > maxNamedClasses ? ` and ${classes.length - maxNamedClasses} more` : '';
  const sentence = `At least ${minRowsOfClass} rows are needed of ${named}${more}.`;
  return [
    task === 'binary'
      ? gate('inconclusive', 'Classes', sentence)
      : { outcome: 'passed', reason: `Small classes: not compared. ${sentence}` },
  ];
}

function judgeClass(task: Task, rows: readonly GateRow[], label: string, count: number): Gate {
  const weights = weightsOf(rows);
  const champion = foundBy(rows, label, weights, row => row.champion.prediction);
  const challenger = foundBy(rows, label, weights, row => row.challenger.prediction);
  const interval = (figure: 'recall' | 'precision') => {
    const [from, less] = [challenger[figure], champion[figure]];
    if (from === null || less === null) return null;
    return meanInterval(
      from.map((value, row) => value - keptShare * less[row]!),
      level,
      weights,
      entitiesOf(rows),
    );
  };
  const [recall, precision] = [interval('recall')!, interval('precision')];
  const isLost = recall.high < 0 || (precision?.high ?? 0) < 0;
  const isKept = recall.low >= 0;
  const outcome = isLost ? 'failed' : isKept || task !== 'binary' ? 'passed' : 'inconclusive';
  const said = (name: string, { mean }: { mean: { recall: number; precision: number | null } }) =>
    `${name} recall ${share(mean.recall)}, ` +
    (mean.precision === null ? 'and never predicts it' : `precision ${share(mean.precision)}`);
  return {
    ...gate(
      outcome,
      `Class ${label}`,
      `On the ${count} rows with this label, ${said("the challenger's", challenger)}; ` +
        `${said("the champion's", champion)}. At least half of both has to be left.`,
    ),
    ...(task === 'binary' && {
      metrics: {
        [`championRecall:${label}`]: champion.mean.recall,
        [`challengerRecall:${label}`]: challenger.mean.recall,
      },
    }),
  };
}

/**
 * Returns recall and precision of a class, each as one value per row whose mean over all rows it
 * is: the ratio of two means plus what the row adds to its error (Cochran, Sampling Techniques,
 * section 6.3). Precision is null for a model that never predicts the class.
 */
function foundBy(
  rows: readonly GateRow[],
  label: string,
  weights: readonly number[] | null,
  predictionOf: (row: GateRow) => string,
) {
  const isLabel = rows.map(({ truth }) => (truth.label === label ? 1 : 0));
  const isPrediction = rows.map(row => (predictionOf(row) === label ? 1 : 0));
  const isBoth: number[] = isLabel.map((value, row) => value * isPrediction[row]!);
  const [both, labels, predictions] = [isBoth, isLabel, isPrediction].map(values =>
    weightedMean(values, weights),
  ) as [number, number, number];
  const ratio = (part: number, whole: number, isWhole: readonly number[]) =>
    isBoth.map((value, row) => part / whole + (value - (part / whole) * isWhole[row]!) / whole);
  return {
    mean: { recall: both / labels, precision: predictions > 0 ? both / predictions : null },
    recall: ratio(both, labels, isLabel),
    precision: predictions > 0 ? ratio(both, predictions, isPrediction) : null,
  };
}

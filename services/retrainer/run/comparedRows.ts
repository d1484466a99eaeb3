import { isIdentifierName } from '../../shared/kinds/identifierName.ts';
import { classNames } from '../../shared/output/comparedOutput.ts';
import type { OutputMeaning } from '../../shared/output/outputMeaning.ts';
import type { RowRange } from '../dataset/dataSplit.ts';
import type { DatasetRow } from '../dataset/dataset.ts';
import type { GateRow } from '../gates/gate.ts';
import type { RowOutput } from '../trainer/trainerContract.ts';
import type { Snapshot } from './snapshot.ts';

/** Entities tell something if they are at least so many, and have two rows each on the mean. */
const minEntities = 20;

/**
 * Returns rows of a dataset with what champion and challenger answer to them. Rows that another
 * version than the champion predicted are left out, and so are those of which it predicted none of
 * the classes.
 */
export function comparedRows(
  { rows, meaning, classes }: Pick<Snapshot, 'rows' | 'meaning' | 'classes'>,
  range: RowRange,
  outputs: ReadonlyMap<number, RowOutput>,
  championVersion: string,
): GateRow[] {
  const entityOf = entities(rows.slice(range.start, range.end));
  return answers({ rows, meaning, classes }, range, outputs).flatMap((answer, index) => {
    const row = rows[range.start + index]!;
    if (row.version !== championVersion || row.prediction === '') return [];
    return [
      {
        truth: row,
        champion: row,
        challenger: answer.output,
        championProbability: championProbability(row, meaning),
        challengerProbability: answer.probability,
        entity: entityOf(row),
      },
    ];
  });
}

/**
 * Returns what a challenger answers to rows, in the words of the labels, with the probability that
 * it gives to the true class, or null.
 */
export function answers(
  { rows, meaning, classes }: Pick<Snapshot, 'rows' | 'meaning' | 'classes'>,
  range: RowRange,
  outputs: ReadonlyMap<number, RowOutput>,
): { output: RowOutput; probability: number | null }[] {
  const named = namedOutput(meaning);
  const positive = classes.length === 2 ? String(classes[1]) : null;
  return rows.slice(range.start, range.end).map((row, index) => {
    const output = named(outputs.get(range.start + index)!);
    return { output, probability: challengerProbability(row, output, meaning, positive) };
  });
}

/** Returns what names the classes of a challenger's answer as those of the labels are named. */
function namedOutput(meaning: OutputMeaning): (output: RowOutput) => RowOutput {
  if (meaning.task === 'regression') return output => output;
  const nameOf = classNames(meaning, meaning.openLabels);
  const named = (text: string) => nameOf(text) ?? text;
  return output => ({
    ...output,
    prediction: named(output.prediction),
    probabilities:
      output.probabilities &&
      Object.fromEntries(
        Object.entries(output.probabilities).map(([name, value]) => [named(name), value]),
      ),
  });
}

/** Returns the probability that the champion gave to the true class, by itself or by its score. */
function championProbability(
  { score, label, prediction, labelProbability }: DatasetRow,
  { task, scoresAreProbabilities, scoreIs, scoreOf }: OutputMeaning,
): number | null {
  if (typeof labelProbability === 'number') return labelProbability;
  if (task !== 'binary' || !scoresAreProbabilities || score === null) return null;
  const scored = scoreIs === 'confidence' ? prediction : scoreOf;
  if (scored === null) return null;
  return label === scored ? score : 1 - score;
}

/**
 * Returns the probability that a challenger gives to the true class, or null.
 * @param positive class of a binary task that the challenger's score is about
 */
function challengerProbability(
  { label }: DatasetRow,
  { probabilities, score }: RowOutput,
  { task }: OutputMeaning,
  positive: string | null,
): number | null {
  if (task === 'regression') return null;
  if (probabilities !== null) return probabilities[label] ?? 0;
  if (task !== 'binary' || score === null || positive === null) return null;
  return label === positive ? score : 1 - score;
}

/**
 * Returns what names the entity of a row: the value of the feature that identifies something, and of
 * several such features the one with the fewest values.
 */
function entities(rows: readonly DatasetRow[]): (row: DatasetRow) => string | null {
  const names = new Set(rows.flatMap(({ features }) => Object.keys(features)));
  const [coarsest] = [...names]
    .filter(isIdentifierName)
    .map(name => ({ name, values: new Set(rows.map(({ features }) => features[name])).size }))
    .filter(({ values }) => values >= minEntities && values <= rows.length / 2)
    .sort((one, other) => one.values - other.values);
  if (coarsest === undefined) return () => null;
  return ({ features }) => String(features[coarsest.name] ?? '');
}

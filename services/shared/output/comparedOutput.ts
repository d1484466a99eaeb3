import { type OutputMeaning, otherClass } from './outputMeaning.ts';
import { numberOf, type ReferenceOutput } from './referenceOutput.ts';
import { classKey, isMissing } from './spelling.ts';

/** A labelled prediction in the words of a meaning. Null is a side that does not fit. */
export interface ComparedOutput {
  label: string | number | null;
  prediction: string | number | null;
}

type LoggedOutput = Pick<
  ReferenceOutput,
  'label' | 'labelValue' | 'prediction' | 'predictionValue'
>;

/**
 * Returns what says which class or number a labelled prediction is about, as outputExpressions.ts
 * does in SQL.
 */
export function outputComparison(meaning: OutputMeaning): (output: LoggedOutput) => ComparedOutput {
  if (meaning.task === 'regression') {
    return ({ label, labelValue, prediction, predictionValue }) => ({
      label: numberOf(labelValue, label),
      prediction: numberOf(predictionValue, prediction),
    });
  }
  const labelOf = classNames(meaning, meaning.openLabels);
  const predictionOf = classNames(meaning, meaning.openPredictions);
  return ({ label, prediction, predictionValue }) => ({
    label: labelOf(label),
    prediction:
      meaning.predictionIs === 'class'
        ? predictionOf(prediction)
        : classOfNumber(meaning, numberOf(predictionValue, prediction)),
  });
}

/** Returns what names the class of a text. Null is no class. */
export function classNames(
  { classes, spelling }: Pick<OutputMeaning, 'classes' | 'spelling'>,
  isOpen: boolean,
): (text: string) => string | null {
  const byKey = new Map(classes.map(({ name }) => [classKey(name, spelling), name]));
  const bySpelling = new Map(
    classes.flatMap(({ name, spellings }) => spellings.map(text => [text, name] as const)),
  );
  return text => {
    const known = bySpelling.get(text) ?? byKey.get(classKey(text, spelling));
    return known ?? (isOpen && !isMissing(text) ? classKey(text, spelling) : null);
  };
}

function classOfNumber(meaning: OutputMeaning, number: number | null): string | null {
  const { predictionIs, scoreOf, threshold } = meaning;
  if (number === null || scoreOf === null || threshold === null) return null;
  if (predictionIs === 'probability' && !(number >= 0 && number <= 1)) return null;
  return number >= threshold ? scoreOf : otherClass(meaning, scoreOf);
}

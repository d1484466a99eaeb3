import type { ClassLabel, Task } from '../../shared/model/model.ts';

const mostNumericClasses = 20;
const positiveNames = ['1', 'true', 'yes'];

/**
 * What there is to learn: regression when the labels are numbers with more than 20 distinct values or with fractions, else classes.
 * @param positiveLabel settings.positiveLabel; otherwise 1, true, yes, or the last in order
 * @returns classes in order, of a binary task the positive one last, as numbers where all labels are; none for regression
 */
export function labelTask(
  labels: readonly { label: string; labelValue: number | null }[],
  positiveLabel?: string,
): { task: Task; classes: ClassLabel[]; numeric: boolean } {
  const numeric = labels.every(({ labelValue }) => labelValue !== null);
  const distinct = new Set<ClassLabel>(
    labels.map(({ label, labelValue }) => (numeric ? labelValue! : label)),
  );
  if (
    numeric &&
    (distinct.size > mostNumericClasses ||
      labels.some(({ labelValue }) => !Number.isInteger(labelValue)))
  ) {
    return { task: 'regression', classes: [], numeric };
  }
  // In the order of their text, as for the evaluator: the positive class must be the same for both.
  const classes = [...distinct].sort((a, b) => (String(a) < String(b) ? -1 : 1));
  if (classes.length > 2) return { task: 'multiclass', classes, numeric };
  const positive =
    classes.find(name => String(name) === positiveLabel) ??
    classes.find(name => positiveNames.includes(String(name).toLowerCase()));
  return {
    task: 'binary',
    classes: positive === classes[0] ? classes.reverse() : classes,
    numeric,
  };
}

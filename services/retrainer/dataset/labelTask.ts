import type { ClassLabel } from '../../shared/model/model.ts';
import type { TaskDecision } from '../../shared/task.ts';
import type { DatasetRow } from './dataset.ts';

/** What a trainer is to learn from the labels of a dataset. */
export interface LabelTask extends TaskDecision {
  /**
   * Distinct labels in the order of their text, with the positive class of a binary task last if it
   * is among them. They are numbers if all labels are. Empty for a regression.
   */
  classes: ClassLabel[];
  /** True if all labels are numbers. */
  numeric: boolean;
}

/**
 * Returns what there is to learn from the rows of a dataset.
 *
 * @param decision of the champion's outputs, so that champion and challenger are measured by the
 * same class
 */
export function labelTask(
  rows: readonly Pick<DatasetRow, 'label' | 'labelValue'>[],
  { task, positiveLabel }: TaskDecision,
): LabelTask {
  const numeric = rows.every(({ labelValue }) => labelValue !== null);
  const labels = new Set(rows.map(({ label }) => label));
  const classes = task === 'regression' ? [] : orderedClasses([...labels], positiveLabel);
  return { task, positiveLabel, classes: numeric ? classes.map(Number) : classes, numeric };
}

function orderedClasses(labels: readonly string[], positiveLabel: string | null): string[] {
  const others = labels.filter(name => name !== positiveLabel).sort();
  return others.length === labels.length ? others : [...others, positiveLabel!];
}

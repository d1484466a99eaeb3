import type { ClassLabel } from '../../shared/model/model.ts';
import {
  decideTask,
  type LabelledOutput,
  summariseLabels,
  type TaskDecision,
} from '../../shared/task.ts';

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
 * Returns what there is to learn from the rows of a dataset. Task and positive class are those that
 * the evaluator decides for a version with the same outcomes, so that champion and challenger are
 * measured by the same class.
 *
 * @param configuredPositiveLabel settings.positiveLabel
 */
export function labelTask(
  rows: readonly LabelledOutput[],
  configuredPositiveLabel?: string,
): LabelTask {
  const summary = summariseLabels(rows);
  const decision = decideTask(summary, configuredPositiveLabel);
  const numeric = !summary.textLabels;
  const classes =
    decision.task === 'regression' ? [] : orderedClasses(summary.labels, decision.positiveLabel);
  return { ...decision, classes: numeric ? classes.map(Number) : classes, numeric };
}

function orderedClasses(labels: readonly string[], positiveLabel: string | null): string[] {
  const others = labels.filter(name => name !== positiveLabel).sort();
  return others.length === labels.length ? others : [...others, positiveLabel!];
}

/** What a model predicts: one of two classes, one of several classes, or a number. */
export type Task = 'binary' | 'multiclass' | 'regression';

/** The task of a model version, and the class that the metrics of a binary model describe. */
export interface TaskDecision {
  task: Task;
  /**
   * Class that precision, recall, F1, log-loss, Brier score and AUC describe. Null when the task is
   * not binary, and when no class is known at all.
   */
  positiveLabel: string | null;
}

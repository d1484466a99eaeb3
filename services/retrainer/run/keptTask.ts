import type { TrainingTask } from '../trainer/trainerContract.ts';

/** Returns the task of a training as it is kept for a repetition, without the folder of that time. */
export function keptTask({ outputFolder: _, ...task }: TrainingTask): string {
  return `${JSON.stringify(task)}\n`;
}

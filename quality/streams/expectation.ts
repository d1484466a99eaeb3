import type { DriftEvent } from '../../services/shared/contracts.ts';

/** What a person who runs the model wants to be told about a stream. All times are event times. */
export interface Expectation {
  /** Name of the practical case, the same for all seeds. */
  name: string;
  seed: number;
  /** The change that has to be found; null where the person wants silence. */
  change: WantedChange | null;
  /** An alarm about a window that touches one of these intervals is neither right nor wrong. */
  ignored: readonly { fromMs: number; untilMs: number }[];
}

export interface WantedChange {
  onsetMs: number;
  /** Time from the onset within which the first alarm has to be raised. */
  withinMs: number;
  /** Causes that are right when the alarm is raised, the wanted one first. Empty: each is. */
  causes: readonly DriftEvent['cause'][];
}

import type { Feedback, Prediction } from '../../services/shared/contracts.ts';
import { decideOutput } from '../../services/shared/output/decideOutput.ts';
import type { OutputMeaning } from '../../services/shared/output/outputMeaning.ts';

/** A labelled prediction of a version. */
export interface StreamOutcome {
  id: string;
  timeMs: number;
  output: Prediction['prediction'];
  probabilities: Prediction['probabilities'];
  label: Feedback['label'];
}

const referenceRecords = 1_000;
const maxSearchedRecords = 20_000;

/**
 * Decides what the outputs of a version mean from its first outcomes in event time, as the evaluator
 * does. No stream configures an output or has its scores looked at.
 */
export function meaningOfOutcomes(outcomes: readonly StreamOutcome[]): OutputMeaning {
  const ordered = [...outcomes].sort(
    (one, other) => one.timeMs - other.timeMs || (one.id < other.id ? -1 : 1),
  );
  const first = ordered.slice(0, referenceRecords);
  const labels = new Set(first.map(({ label }) => String(label)));
  const [label] = labels;
  const next = ordered
    .slice(0, maxSearchedRecords)
    .findIndex(outcome => String(outcome.label) !== label);
  const later =
    labels.size > 1 || next < referenceRecords ? [] : ordered.slice(next, next + referenceRecords);
  return decideOutput([...first, ...later].map(referenceOutput));
}

function referenceOutput({ label, output, probabilities }: StreamOutcome) {
  const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null);
  return {
    label: String(label),
    labelValue: numberOrNull(label),
    prediction: String(output),
    predictionValue: numberOrNull(output),
    score: null,
    classesOfScore: probabilities === null ? null : [],
    hasRanking: false,
  };
}

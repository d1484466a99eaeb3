import {
  observationOfProfiles,
  type WindowObservation,
  type WindowPerformance,
} from '../../services/detector/blocks/windowObservation.ts';
import {
  countedSegments,
  countPrediction,
  newVersionState,
  type VersionState,
} from '../../services/profiler/profiler.ts';
import { parseSettings } from '../../services/shared/config/settings.ts';
import type { Feedback, Prediction } from '../../services/shared/contracts.ts';
import type { LoggedPrediction } from '../../services/shared/profile/features.ts';
import { mergeSampledRecords, sampledRecords } from '../../services/shared/profile/recordSample.ts';
import { decideTask, summariseLabels, type Task } from '../../services/shared/task.ts';
import { windowStartMs } from '../../services/shared/timeWindow.ts';
import { versionKey } from '../../services/shared/versionKey.ts';

/** A model version's windows as the detector would load them, and when their labels became known. */
export interface WindowedStream {
  model: string;
  version: string;
  windowSizeMs: number;
  /** In the order of time, without performance. */
  windows: WindowObservation[];
  /** In the order in which they became known. */
  labelRevisions: LabelRevision[];
}

/** The performance of a window as it stands from a point of the event-time clock on. */
export interface LabelRevision {
  /** End of a window. */
  knownAtMs: number;
  startMs: number;
  performance: WindowPerformance;
}

/** Rows of performance_windows keep so many labels. */
const mostLabelCounts = 100;

interface Counted {
  startMs: number;
  output: Prediction['prediction'];
}

/**
 * What profiler and evaluator make of the usable records of a stream, without Kafka and ClickHouse. All predictions of a window are
 * there when it ends; labels come at their time of observation, and the clock is looked at when windows end.
 */
export function windowCounter(windowSizeMs: number) {
  const settings = { ...parseSettings('', 'defaults').of(''), window: windowSizeMs };
  const versions = new Map<string, { state: VersionState; counted: Map<string, Counted> }>();
  const feedback: { label: Feedback; offset: number }[] = [];
  let offset = 0;

  return {
    addPrediction(prediction: LoggedPrediction): void {
      const { model, version, id, time, prediction: output } = prediction;
      const key = versionKey(prediction);
      let known = versions.get(key);
      if (!known) {
        known = { state: newVersionState(model, version, settings), counted: new Map() };
        versions.set(key, known);
      }
      if (countPrediction(known.state, { prediction, offset: offset++ }) !== 'counted') return;
      known.counted.set(id, { startMs: windowStartMs(time, windowSizeMs), output });
    },

    addFeedback(label: Feedback): void {
      feedback.push({ label, offset: feedback.length });
    },

    streams(): WindowedStream[] {
      return [...versions.values()].map(({ state, counted }) => ({
        model: state.model,
        version: state.version,
        windowSizeMs,
        windows: windowsOf(state),
        labelRevisions: labelRevisions(
          feedback.filter(({ label: { model } }) => (model ?? state.model) === state.model),
          counted,
          windowSizeMs,
        ),
      }));
    },
  };
}

function windowsOf(state: VersionState): WindowObservation[] {
  return [...state.windows.values()]
    .sort((a, b) => a.startMs - b.startMs)
    .map(window => {
      const profilesByKind = countedSegments(window).get('')!;
      const ofKind = (kind: 'feature' | 'output' | 'operation') =>
        [...profilesByKind[kind]].map(([name, profile]) => ({ kind, name, profile }));
      const profiles = [...ofKind('feature'), ...ofKind('output'), ...ofKind('operation')];
      return observationOfProfiles(
        window,
        profiles,
        null,
        mergeSampledRecords(sampledRecords(window.sample)),
      );
    });
}

interface Arrival {
  knownAtMs: number;
  startMs: number;
  output: Prediction['prediction'];
  label: Feedback;
  offset: number;
}

function labelRevisions(
  feedback: readonly { label: Feedback; offset: number }[],
  counted: ReadonlyMap<string, Counted>,
  windowSizeMs: number,
): LabelRevision[] {
  const arrivals = feedback.flatMap(({ label, offset }): Arrival[] => {
    const prediction = counted.get(label.id);
    if (!prediction) return [];
    const observedBy = windowStartMs(label.time, windowSizeMs) + windowSizeMs;
    return [
      {
        ...prediction,
        label,
        offset,
        knownAtMs: Math.max(observedBy, prediction.startMs + windowSizeMs),
      },
    ];
  });
  // The later observation wins, and of two at the same time the later record.
  arrivals.sort(
    (a, b) => a.knownAtMs - b.knownAtMs || a.label.time - b.label.time || a.offset - b.offset,
  );
  const task = taskOf(arrivals);
  const sums = new Map<number, PerformanceSums>();
  const newest = new Map<string, Arrival>();
  const revisions: LabelRevision[] = [];
  const changed = new Set<number>();
  for (const [index, arrival] of arrivals.entries()) {
    const { startMs, knownAtMs } = arrival;
    const ofWindow = sums.get(startMs) ?? {
      labelled: 0,
      lossSum: 0,
      lossSquareSum: 0,
      labelCounts: new Map(),
    };
    sums.set(startMs, ofWindow);
    const corrected = newest.get(arrival.label.id);
    if (corrected) addOutcome(ofWindow, corrected, task, -1);
    addOutcome(ofWindow, arrival, task, 1);
    newest.set(arrival.label.id, arrival);
    changed.add(startMs);
    if (arrivals[index + 1]?.knownAtMs === knownAtMs) continue;
    for (const changedMs of changed) {
      revisions.push({
        knownAtMs,
        startMs: changedMs,
        performance: performanceOf(sums.get(changedMs)!, task),
      });
    }
    changed.clear();
  }
  return revisions;
}

/** Returns the task at which the evaluator arrives when it has seen all labels of the version. */
function taskOf(arrivals: readonly Arrival[]): Task {
  const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null);
  const outcomes = arrivals.map(({ label: { label }, output }) => ({
    label: String(label),
    labelValue: numberOrNull(label),
    prediction: String(output),
    predictionValue: numberOrNull(output),
  }));
  return decideTask(summariseLabels(outcomes), undefined).task;
}

type PerformanceSums = Omit<WindowPerformance, 'task' | 'labelCounts'> & {
  labelCounts: Map<string, number>;
};

/** What the evaluator's SQL sums over the outcomes of a window. @param sign -1 takes an outcome back */
function addOutcome(
  sums: PerformanceSums,
  { label: { label }, output }: Arrival,
  task: Task,
  sign: 1 | -1,
): void {
  sums.labelled += sign;
  if (task === 'regression') {
    const error =
      typeof output === 'number' && typeof label === 'number' ? output - label : Number.NaN;
    if (!Number.isFinite(error)) return;
    sums.lossSum += sign * Math.abs(error);
    sums.lossSquareSum += sign * error * error;
    return;
  }
  const name = String(label);
  const loss = name === String(output) ? 0 : sign;
  sums.lossSum += loss;
  sums.lossSquareSum += loss;
  sums.labelCounts.set(name, (sums.labelCounts.get(name) ?? 0) + sign);
}

function performanceOf({ labelCounts, ...sums }: PerformanceSums, task: Task): WindowPerformance {
  const counts = [...labelCounts].filter(([, count]) => count > 0);
  counts.sort(
    ([leftName, left], [rightName, right]) => right - left || (leftName < rightName ? -1 : 1),
  );
  return { task, ...sums, labelCounts: new Map(counts.slice(0, mostLabelCounts)) };
}

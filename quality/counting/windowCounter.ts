import {
  observationOfProfiles,
  type WindowObservation,
  type WindowPerformance,
} from '../../services/detector/blocks/windowObservation.ts';
import { countPrediction, isCounted } from '../../services/profiler/counting/profiler.ts';
import { emptyTally } from '../../services/profiler/counting/tally.ts';
import {
  newVersionState,
  type VersionState,
} from '../../services/profiler/counting/versionState.ts';
import {
  countWaitingRecords,
  segmentProfiles,
} from '../../services/profiler/counting/windowState.ts';
import { parseSettings } from '../../services/shared/config/settings.ts';
import type { Feedback, Prediction } from '../../services/shared/contracts.ts';
import { mostFrequentFirst } from '../../services/shared/mostFrequentFirst.ts';
import {
  type ComparedOutput,
  outputComparison,
} from '../../services/shared/output/comparedOutput.ts';
import type { LoggedPrediction } from '../../services/shared/profile/features.ts';
import { mergeSampledRecords, sampledRecords } from '../../services/shared/profile/recordSample.ts';
import type { Task } from '../../services/shared/task.ts';
import { windowStartMs } from '../../services/shared/timeWindow.ts';
import { versionKey } from '../../services/shared/versionKey.ts';
import { meaningOfOutcomes } from './meaningOfOutcomes.ts';

/** The windows of a model version as the detector would load them, and when labels became known. */
export interface WindowedStream extends WindowedSegment {
  model: string;
  version: string;
  windowSizeMs: number;
  /** The same of each segment of the declared ones, as name=value. */
  segments: ReadonlyMap<string, WindowedSegment>;
}

export interface WindowedSegment {
  /** In the order of time, without their performance. */
  windows: WindowObservation[];
  /** In the order in which they became known. */
  labelRevisions: LabelRevision[];
}

/** The performance of a window as it is known from a point of the event-time clock on. */
export interface LabelRevision {
  /** End of the window in which the label came. */
  knownAtMs: number;
  startMs: number;
  performance: WindowPerformance;
}

/** Number of labels that a row of performance_windows keeps. */
const maxLabelCounts = 100;

interface Counted {
  id: string;
  timeMs: number;
  startMs: number;
  segment: Prediction['segment'];
  output: Prediction['prediction'];
  probabilities: Prediction['probabilities'];
}

/**
 * Counts the usable records of a stream as profiler and evaluator do, without Kafka and ClickHouse.
 * All predictions of a window are there when it ends. Labels come at their time of observation, and
 * the clock advances when a window ends.
 */
export function windowCounter(windowSizeMs: number, segments: readonly string[] = []) {
  const settings = {
    ...parseSettings('', 'defaults').of(''),
    windowSizeMs,
    segments: [...segments],
  };
  const versions = new Map<string, { state: VersionState; counted: Map<string, Counted> }>();
  const feedback: { label: Feedback; offset: number }[] = [];
  const tally = emptyTally();
  let offset = 0;

  return {
    addPrediction(prediction: LoggedPrediction): void {
      const { model, version, id, time, prediction: output, probabilities, segment } = prediction;
      const key = versionKey(prediction);
      let known = versions.get(key);
      if (!known) {
        known = { state: newVersionState(model, version, settings), counted: new Map() };
        versions.set(key, known);
      }
      const result = countPrediction(known.state, { prediction, offset: offset++ }, tally);
      if (!isCounted(result)) return;
      const startMs = windowStartMs(time, windowSizeMs);
      known.counted.set(id, { id, timeMs: time, startMs, segment, output, probabilities });
    },

    addFeedback(label: Feedback): void {
      feedback.push({ label, offset: feedback.length });
    },

    streams(): WindowedStream[] {
      return [...versions.values()].map(({ state, counted }) => ({
        model: state.model,
        version: state.version,
        windowSizeMs,
        ...windowedSegment(state, '', counted),
        segments: new Map(
          segmentsOf(state).map(segment => [segment, windowedSegment(state, segment, counted)]),
        ),
      }));
    },
  };

  function windowedSegment(
    state: VersionState,
    segment: string,
    counted: ReadonlyMap<string, Counted>,
  ): WindowedSegment {
    return {
      windows: windowsOf(state, segment),
      labelRevisions: labelRevisions(
        feedback.filter(
          ({ label: { model, id } }) =>
            (model ?? state.model) === state.model && isOfSegment(counted.get(id), segment),
        ),
        counted,
        windowSizeMs,
      ),
    };
  }
}

/** Returns the segments that any window has, without that of all predictions. */
function segmentsOf({ windows }: VersionState): string[] {
  const names = new Set([...windows.values()].flatMap(({ segments }) => [...segments.keys()]));
  names.delete('');
  return [...names].sort();
}

function isOfSegment(counted: Counted | undefined, segment: string): boolean {
  if (segment === '') return true;
  const end = segment.indexOf('=');
  return counted?.segment?.[segment.slice(0, end)] === segment.slice(end + 1);
}

function windowsOf(state: VersionState, segment: string): WindowObservation[] {
  return [...state.windows.values()]
    .filter(({ segments }) => segments.has(segment))
    .sort((a, b) => a.startMs - b.startMs)
    .map(window => {
      countWaitingRecords(window);
      const profilesByKind = segmentProfiles(window, segment);
      const ofKind = (kind: 'feature' | 'output' | 'operation') =>
        [...profilesByKind[kind]].map(([name, profile]) => ({ kind, name, profile }));
      const profiles = [...ofKind('feature'), ...ofKind('output'), ...ofKind('operation')];
      return observationOfProfiles(
        window,
        profiles,
        null,
        segment === '' ? mergeSampledRecords(sampledRecords(window.sample)) : null,
      );
    });
}

interface Arrival extends Counted {
  knownAtMs: number;
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
  // The later observation wins; of two at the same time, the later record wins.
  arrivals.sort(
    (a, b) => a.knownAtMs - b.knownAtMs || a.label.time - b.label.time || a.offset - b.offset,
  );
  // What the evaluator has decided when it has seen all labels of the version.
  const newestLabels = new Map(arrivals.map(arrival => [arrival.id, arrival]));
  const meaning = meaningOfOutcomes(
    Array.from(newestLabels.values(), arrival => ({ ...arrival, label: arrival.label.label })),
  );
  const { task } = meaning;
  const compare = outputComparison(meaning);
  const compared = (arrival: Arrival) => compare(loggedOutput(arrival));
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
      predictedCounts: new Map(),
      rightCounts: new Map(),
    };
    sums.set(startMs, ofWindow);
    const corrected = newest.get(arrival.label.id);
    if (corrected) addOutcome(ofWindow, compared(corrected), task, -1);
    addOutcome(ofWindow, compared(arrival), task, 1);
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

function loggedOutput({ label: { label }, output }: Arrival) {
  const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null);
  return {
    label: String(label),
    labelValue: numberOrNull(label),
    prediction: String(output),
    predictionValue: numberOrNull(output),
  };
}

const countedNames = ['labelCounts', 'predictedCounts', 'rightCounts'] as const;
type Counts = (typeof countedNames)[number];
type PerformanceSums = Omit<WindowPerformance, 'task' | Counts> &
  Record<Counts, Map<string, number>>;

/**
 * Adds an outcome to the sums of its window, as the SQL of the evaluator does.
 * @param sign -1 takes the outcome back
 */
function addOutcome(
  sums: PerformanceSums,
  { label, prediction }: ComparedOutput,
  task: Task,
  sign: 1 | -1,
): void {
  if (label === null || prediction === null) return;
  if (task === 'regression') {
    const error = Number(prediction) - Number(label);
    if (!Number.isFinite(error)) return;
    sums.labelled += sign;
    sums.lossSum += sign * Math.abs(error);
    sums.lossSquareSum += sign * error * error;
    return;
  }
  const loss = label === prediction ? 0 : sign;
  sums.labelled += sign;
  sums.lossSum += loss;
  sums.lossSquareSum += loss;
  const count = (counts: Map<string, number>, name: string) =>
    counts.set(name, (counts.get(name) ?? 0) + sign);
  count(sums.labelCounts, String(label));
  count(sums.predictedCounts, String(prediction));
  if (label === prediction) count(sums.rightCounts, String(label));
}

function performanceOf(sums: PerformanceSums, task: Task): WindowPerformance {
  const [labelCounts, predictedCounts, rightCounts] = countedNames.map(name =>
    mostFrequent(sums[name]),
  );
  return {
    task,
    ...sums,
    labelCounts: labelCounts!,
    predictedCounts: predictedCounts!,
    rightCounts: rightCounts!,
  };
}

function mostFrequent(counted: ReadonlyMap<string, number>): Map<string, number> {
  const counts = mostFrequentFirst(counted).filter(([, count]) => count > 0);
  return new Map(counts.slice(0, maxLabelCounts));
}

import {
  variableKey,
  type WindowObservation,
} from '../../../services/detector/blocks/windowObservation.ts';
import type { DriftEventContent } from '../../../services/detector/events/driftEpisode.ts';
import { foldWindow } from '../../../services/detector/fold/detector.ts';
import type { DriftMetric } from '../../../services/detector/fold/driftMetric.ts';
import { driftMetrics } from '../../../services/detector/fold/driftMetrics.ts';
import {
  type FoldContext,
  type FoldState,
  initialState,
  type Verdict,
} from '../../../services/detector/fold/foldState.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import { fnv1a } from '../../../services/shared/profile/categoryHash.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureValue,
  type Vector,
} from '../../../services/shared/profile/featureProfile.ts';
import {
  addToSample,
  emptyRecordSample,
  mergeSampledRecords,
  sampledRecords,
} from '../../../services/shared/profile/recordSample.ts';
import { seededRandom } from '../shared/profile/distributions.ts';

export const hourMs = 3_600_000;

export const context: FoldContext = {
  model: 'm',
  version: '1',
  segment: '',
  detection: parseSettings('', 'test').of('m').detection,
};

/**
 * One record of a synthetic stream, with its inputs, the predicted class (or number), and the true
 * one if it is known.
 */
export interface SyntheticRecord {
  features: Record<string, FeatureValue | Vector>;
  prediction: string | number;
  score?: number;
  label?: string;
  codeVersion?: string;
}

export interface Randomness {
  uniform(): number;
  normal(): number;
}

export function randomness(seed: number): Randomness {
  const uniform = seededRandom(seed);
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** Returns windows of an hour with the records that `recordOf` draws. */
export function syntheticWindows(options: {
  seed: number;
  windows: number;
  records: number | ((window: number) => number);
  recordOf: (random: Randomness, window: number) => SyntheticRecord;
}): WindowObservation[] {
  const random = randomness(options.seed);
  return Array.from({ length: options.windows }, (_, window) => {
    const count = typeof options.records === 'number' ? options.records : options.records(window);
    return observationOf(
      window,
      Array.from({ length: count }, () => options.recordOf(random, window)),
    );
  });
}

export function observationOf(
  window: number,
  records: readonly SyntheticRecord[],
): WindowObservation {
  const variables = new Map<
    string,
    { kind: 'feature' | 'output'; name: string; profile: ReturnType<typeof emptyFeatureProfile> }
  >();
  const add = (
    kind: 'feature' | 'output',
    name: string,
    value: FeatureValue | Vector,
    id: string,
  ) => {
    const key = variableKey(kind, name);
    const variable = variables.get(key) ?? { kind, name, profile: emptyFeatureProfile() };
    variables.set(key, variable);
    addValue(variable.profile, value, id);
  };
  const codeVersions = new Map<string, number>();
  const sample = emptyRecordSample();
  let names: readonly string[] = [];
  for (const [index, { features, prediction, score, codeVersion }] of records.entries()) {
    const id = `${window}/${index}`;
    const ownNames = Object.keys(features);
    // Records of the same shape share the array of their names, by which a sample knows the shape.
    if (ownNames.length !== names.length || ownNames.some((name, place) => name !== names[place]))
      names = ownNames;
    const named = { names, values: Object.values(features) };
    addToSample(sample, fnv1a(id), named, score ?? prediction);
    for (const [name, value] of Object.entries(features)) add('feature', name, value, id);
    add('output', 'prediction', prediction, id);
    if (score !== undefined) add('output', 'score', score, id);
    if (codeVersion) codeVersions.set(codeVersion, (codeVersions.get(codeVersion) ?? 0) + 1);
  }
  const labelled = records.filter(({ label }) => label !== undefined);
  const errors = labelled.filter(({ label, prediction }) => label !== prediction).length;
  const labelCounts = new Map<string, number>();
  const predictedCounts = new Map<string, number>();
  const rightCounts = new Map<string, number>();
  const count = (counts: Map<string, number>, name: string) =>
    counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { label, prediction } of labelled) {
    count(labelCounts, label!);
    count(predictedCounts, String(prediction));
    if (label === prediction) count(rightCounts, label!);
  }
  return {
    startMs: window * hourMs,
    endMs: (window + 1) * hourMs,
    windows: 1,
    records: records.length,
    variables,
    codeVersions,
    performance:
      labelled.length === 0
        ? null
        : {
            task: 'binary',
            labelled: labelled.length,
            lossSum: errors,
            lossSquareSum: errors,
            labelCounts,
            predictedCounts,
            rightCounts,
          },
    sample: mergeSampledRecords(sampledRecords(sample)),
  };
}

/** Returns the metrics of a window that comes after others. */
export function metricsAfter(
  earlier: readonly WindowObservation[],
  window: WindowObservation,
): DriftMetric[] {
  const { state } = foldAll(earlier);
  return driftMetrics(state, foldWindow(state, window, context), context);
}

export interface FoldedStream {
  state: FoldState;
  verdicts: Verdict[];
  /** All contents of drift events that were published, in order. */
  changes: DriftEventContent[];
  /** The last content of each drift event. */
  events: DriftEventContent[];
}

export function foldAll(
  windows: readonly WindowObservation[],
  start: FoldState = initialState(null, context, hourMs),
  foldContext = context,
): FoldedStream {
  let state = start;
  const verdicts: Verdict[] = [];
  for (const window of windows) {
    const folded = foldWindow(state, window, foldContext);
    state = folded.state;
    verdicts.push(folded.verdict);
  }
  const changes = verdicts.flatMap(({ changes }) => changes);
  return {
    state,
    verdicts,
    changes,
    events: [...new Map(changes.map(change => [change.id, change])).values()],
  };
}

/**
 * Turns rows in memory into window profiles, drift metrics and verdicts, with the functions that
 * the services use and without any server. It prints the CPU time that it took.
 *
 * node bench/processes/core.ts WINDOWS
 */

import {
  type ObservedVariable,
  variableKey,
  type WindowObservation,
} from '../../services/detector/blocks/windowObservation.ts';
import { begunFold, foldVersionWindow } from '../../services/detector/fold/versionFold.ts';
import { emptyTally } from '../../services/profiler/counting/tally.ts';
import { addToProfiles } from '../../services/profiler/counting/waitingRecords.ts';
import {
  countWaitingRecords,
  newWindowState,
  segmentProfiles,
  type WindowState,
} from '../../services/profiler/counting/windowState.ts';
import { parseSettings } from '../../services/shared/config/settings.ts';
import { fnv1a } from '../../services/shared/profile/categoryHash.ts';
import type { Features, LoggedPrediction } from '../../services/shared/profile/features.ts';
import {
  addToSample,
  mergeSampledRecords,
  sampledRecords,
} from '../../services/shared/profile/recordSample.ts';
import { windowStartMs } from '../../services/shared/timeWindow.ts';
import { predictionStream, recordsPerMinute } from '../streams/predictionStream.ts';

const columns = 13;
const warmUpWindows = 15;
const settings = parseSettings('defaults: { window: 1m }', 'bench').of('bench');

function observationOf(window: WindowState): WindowObservation {
  countWaitingRecords(window);
  const profiles = segmentProfiles(window, '');
  const variables = new Map<string, ObservedVariable>();
  for (const kind of ['feature', 'output'] as const)
    for (const [name, profile] of profiles[kind])
      variables.set(variableKey(kind, name), { kind, name, profile });
  const { startMs, endMs } = window;
  const records = profiles.output.get('prediction')!.count;
  const sample = mergeSampledRecords(sampledRecords(window.sample));
  return {
    startMs,
    endMs,
    windows: 1,
    records,
    variables,
    codeVersions: new Map(),
    performance: null,
    sample,
  };
}

/** Judges the rows. @returns the number of drift metrics */
function metricsOf(predictions: readonly LoggedPrediction[]): number {
  const windows = new Map<number, WindowState>();
  const tally = emptyTally();
  for (const prediction of predictions) {
    const startMs = windowStartMs(prediction.time, settings.windowSizeMs);
    let window = windows.get(startMs);
    if (!window) {
      window = newWindowState(startMs, settings.windowSizeMs);
      windows.set(startMs, window);
    }
    addToProfiles(segmentProfiles(window, ''), prediction, tally);
    addToSample(
      window.sample,
      fnv1a(prediction.id),
      prediction.features,
      prediction.score ?? prediction.prediction,
    );
  }
  let fold = begunFold({ model: 'bench', version: '1' });
  let metrics = 0;
  for (const [startMs, window] of windows) {
    const folding = foldVersionWindow(fold, startMs, new Map([['', observationOf(window)]]), {
      detection: settings.detection,
      withMetrics: true,
    });
    fold = folding.fold;
    for (const folded of folding.folded) metrics += folded.metrics.length;
  }
  return metrics;
}

const predictionOf = predictionStream();
const names = Object.keys(predictionOf(0).features);
/** Features as the decoder returns them: all share one array of names. */
const decodedFeatures = new Map<object, Features>();
const windows = Number(process.argv[2]);
const predictions = Array.from(
  { length: windows * recordsPerMinute },
  (_, index): LoggedPrediction => {
    const prediction = predictionOf(index);
    const features = decodedFeatures.get(prediction.features) ?? {
      names,
      values: Object.values(prediction.features),
    };
    decodedFeatures.set(prediction.features, features);
    return { ...prediction, features };
  },
);
// Compile the code first: the code of the other tools is compiled before they start.
metricsOf(predictions.slice(0, warmUpWindows * recordsPerMinute));
const before = process.cpuUsage();
const metrics = metricsOf(predictions);
const { user, system } = process.cpuUsage(before);
if (metrics < windows) throw new Error(`${metrics} metrics of ${windows} windows`);
console.log(JSON.stringify({ cells: predictions.length * columns, cpuMs: (user + system) / 1000 }));

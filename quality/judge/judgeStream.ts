import type {
  WindowObservation,
  WindowPerformance,
} from '../../services/detector/blocks/windowObservation.ts';
import { rewound, type VersionFold } from '../../services/detector/fold/versionFold.ts';
import { JudgeRun } from '../../services/detector/judging/judgeRun.ts';
import type { ModelSettings } from '../../services/shared/config/settings.ts';
import type { DriftEvent } from '../../services/shared/contracts.ts';
import type { StreamTruth } from '../counting/truthFile.ts';
import type { WindowedStream } from '../counting/windowCounter.ts';

/** A stream whose drifts are known, with the alarms that judging it raised. */
export interface JudgedStream {
  truth: StreamTruth;
  /** Rows of event time per window. */
  windowRows: number;
  /** Length of all its windows in event time. */
  daysMonitored: number;
  alarms: readonly Alarm[];
}

/** A drift event, and how it was first raised. */
export interface Alarm {
  /** Its last revision. Withdrawn events count as alarms, too. */
  event: DriftEvent;
  /** Its first revision, which is what a person would have been told. */
  raised: DriftEvent;
  /**
   * Event time at which it was raised: the end of its window or, if only a later label showed it,
   * the end of the newest window then.
   */
  raisedAtMs: number;
}

/**
 * Judges a stream as the detector does while it is read: whenever a window ends, the windows that
 * are ready are judged, and before them again those whose labels have changed since.
 *
 * The setting outOfOrderness, by which the services wait for predictions, is left out of the clock.
 */
export function judgeStream(
  stream: WindowedStream,
  detection: ModelSettings['detection'],
): Alarm[] {
  const { model, version, windowSizeMs, windows } = stream;
  const performances = new Map<number, WindowPerformance>();
  const alarms = new Map<string, Alarm>();
  const events = new Map<string, DriftEvent>();
  let fold: VersionFold = { model, version, given: null, checkpoints: [] };
  let judgedUntilMs = Number.NEGATIVE_INFINITY;
  let revision = 0;
  for (const untilMs of clockOf(stream)) {
    let changedFromMs = Number.POSITIVE_INFINITY;
    for (; stream.labelRevisions[revision]?.knownAtMs === untilMs; revision++) {
      const { startMs, performance } = stream.labelRevisions[revision]!;
      performances.set(startMs, performance);
      changedFromMs = Math.min(changedFromMs, startMs);
    }
    const bounds = { windowSizeMs, judgedUntilMs, changedFromMs, untilMs, withMetrics: false };
    const run = new JudgeRun(rewound(fold, changedFromMs), bounds);
    for (const window of windowsFrom(windows, run.nextStartMs)) {
      if (window.endMs > untilMs) break;
      const observation = { ...window, performance: performances.get(window.startMs) ?? null };
      run.foldWindow(window.startMs, new Map([['', observation]]), detection);
    }
    const outcome = run.end(events);
    ({ fold, judgedUntilMs } = outcome);
    for (const { event } of outcome.revisions) {
      const known = alarms.get(event.id);
      alarms.set(event.id, {
        event,
        raised: known?.raised ?? event,
        raisedAtMs: known?.raisedAtMs ?? untilMs,
      });
      events.set(event.id, event);
    }
  }
  return [...alarms.values()];
}

/** Returns the event times at which something can be judged, in order. */
function clockOf({ windows, labelRevisions }: WindowedStream): number[] {
  const moments = new Set([
    ...windows.map(({ endMs }) => endMs),
    ...labelRevisions.map(({ knownAtMs }) => knownAtMs),
  ]);
  return [...moments].sort((a, b) => a - b);
}

function* windowsFrom(
  windows: readonly WindowObservation[],
  startMs: number,
): Generator<WindowObservation> {
  let first = windows.length;
  while (first > 0 && windows[first - 1]!.startMs >= startMs) first--;
  for (let index = first; index < windows.length; index++) yield windows[index]!;
}

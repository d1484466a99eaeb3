import type {
  WindowObservation,
  WindowPerformance,
} from '../../services/detector/blocks/windowObservation.ts';
import { begunFold, relabelled, rewound } from '../../services/detector/fold/versionFold.ts';
import { JudgeRun } from '../../services/detector/judging/judgeRun.ts';
import type { ModelSettings } from '../../services/shared/config/settings.ts';
import type { DriftEvent } from '../../services/shared/contracts.ts';
import type { StreamTruth } from '../counting/truthFile.ts';
import type { WindowedSegment, WindowedStream } from '../counting/windowCounter.ts';
import type { Expectation } from '../streams/expectation.ts';

/** A stream whose drifts are known, with the alarms that judging it raised. */
export interface JudgedStream {
  truth: StreamTruth;
  /** Rows of event time per window. */
  windowRows: number;
  /** Length of all its windows in event time. */
  daysMonitored: number;
  /** What a person wants to be told, where that says more than the truth. */
  expectation: Expectation | null;
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
  const { model, version, windowSizeMs } = stream;
  const segments = [...stream.segments, ['', stream] as const].map(([name, segment]) =>
    segmentReader(name, segment),
  );
  const alarms = new Map<string, Alarm>();
  const events = new Map<string, DriftEvent>();
  let fold = begunFold({ model, version });
  let judgedUntilMs = Number.NEGATIVE_INFINITY;
  for (const untilMs of clockOf(stream)) {
    const changedFromMs = Math.min(...segments.map(segment => segment.readLabels(untilMs)));
    const bounds = { windowSizeMs, judgedUntilMs, changedFromMs, untilMs, withMetrics: false };
    const run = new JudgeRun(
      relabelled(fold, changedFromMs) ?? rewound(fold, changedFromMs),
      bounds,
    );
    for (let startMs = run.nextLabelsMs; startMs !== null; startMs = run.nextLabelsMs) {
      const labels = segments.flatMap(({ name, labelsAt }) => {
        const performance = labelsAt(startMs!);
        return performance ? [[name, performance] as const] : [];
      });
      run.foldLabels(new Map(labels), detection);
    }
    for (const { startMs, endMs } of windowsFrom(stream.windows, run.nextStartMs)) {
      if (endMs > untilMs) break;
      const observations = segments.flatMap(({ name, windowAt }) => {
        const window = windowAt(startMs);
        return window ? [[name, window] as const] : [];
      });
      run.foldWindow(startMs, new Map(observations), detection);
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

/** Reads a segment of a stream along the event-time clock. */
function segmentReader(name: string, { windows, labelRevisions }: WindowedSegment) {
  const byStart = new Map(windows.map(window => [window.startMs, window]));
  const performances = new Map<number, WindowPerformance>();
  let revision = 0;
  return {
    name,
    /**
     * Reads the labels that became known at a time.
     * @returns the start of the first window whose labels changed, Infinity if none did
     */
    readLabels(untilMs: number): number {
      let changedFromMs = Number.POSITIVE_INFINITY;
      for (; labelRevisions[revision]?.knownAtMs === untilMs; revision++) {
        const { startMs, performance } = labelRevisions[revision]!;
        performances.set(startMs, performance);
        changedFromMs = Math.min(changedFromMs, startMs);
      }
      return changedFromMs;
    },
    windowAt(startMs: number): WindowObservation | null {
      const window = byStart.get(startMs);
      return window ? { ...window, performance: performances.get(startMs) ?? null } : null;
    },
    labelsAt(startMs: number): WindowPerformance | null {
      return performances.get(startMs) ?? null;
    },
  };
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

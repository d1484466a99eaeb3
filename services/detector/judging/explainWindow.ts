import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { earliestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import { foldAlgorithm } from '../checkpoints/foldAlgorithm.ts';
import {
  foldLabels,
  foldVersionWindow,
  nextLabelsMs,
  stateOf,
  type VersionFold,
} from '../fold/versionFold.ts';
import { accountFor, type WindowAccount } from '../fold/windowAccount.ts';
import { type DetectorStore, detectorStore } from '../store/store.ts';
import { labelsRange } from './labelsRange.ts';
import { loadVersions } from './loadVersions.ts';
import { resumeFolds } from './resumeFolds.ts';
import { detectionOf, type LiveVersion, withChangeFrom } from './watchedVersion.ts';
import { windowPages } from './windowPages.ts';

/** Windows whose starts are read at once. */
const windowsPerRead = 1000;

export interface ExplainedWindow extends VersionName {
  /** name=value, or empty for all predictions. */
  segment: string;
  /** Any event time within the window. */
  timeMs: number;
}

/**
 * Folds a stream again up to a window, from the nearest state that is stored, and accounts for the
 * window. Nothing is written, so that a detector may run at the same time.
 *
 * @returns null where the segment has no such window
 */
export async function explainWindow(
  clickhouse: Clickhouse,
  { model, version, segment, timeMs }: ExplainedWindow,
  settings: ModelSettings,
): Promise<WindowAccount | null> {
  const { windowSizeMs } = settings;
  const startMs = Math.floor(timeMs / windowSizeMs) * windowSizeMs;
  const store = detectorStore(clickhouse);
  const [loaded] = await loadVersions(store, [{ model, version }], {
    settingsOf: () => settings,
    algorithm: foldAlgorithm(),
    nowMs: Date.now(),
  });
  const [resumed] = await resumeFolds(store, [withChangeFrom(loaded!, startMs)]);
  let fold = await withLabels(store, resumed!);
  for await (const [windowStartMs, segments] of windowsUntil(store, resumed!, startMs)) {
    const detection = detectionOf(resumed!, windowStartMs);
    if (windowStartMs < startMs)
      fold = foldVersionWindow(fold, windowStartMs, segments, {
        detection,
        acceptances: resumed!.acceptances,
        withMetrics: false,
      }).fold;
    else {
      const window = segments.get(segment);
      return window ? accountOf(fold, segment, window, detection) : null;
    }
  }
  return null;
}

/** Returns the fold of a version with the labels that it lacks of windows whose inputs it has. */
async function withLabels(store: DetectorStore, version: LiveVersion): Promise<VersionFold> {
  let { fold } = version.live;
  const range = labelsRange(version, nextLabelsMs(fold));
  if (!range) return fold;
  const labels = (await store.labels([range])).get(versionKey(version));
  for (let startMs = nextLabelsMs(fold); startMs !== null; startMs = nextLabelsMs(fold))
    fold = foldLabels(fold, labels?.get(startMs) ?? new Map(), {
      detection: detectionOf(version, startMs),
      acceptances: version.acceptances,
      withMetrics: false,
    }).fold;
  return fold;
}

/** Reads the windows after the last one of a fold, up to one that is included. */
async function* windowsUntil(
  store: DetectorStore,
  { model, version, settings, live }: LiveVersion,
  lastStartMs: number,
): AsyncGenerator<[number, ReadonlyMap<string, WindowObservation>]> {
  const newest = live.fold.checkpoints.at(-1);
  let fromMs = newest ? newest.windowStartMs + 1 : earliestMs;
  for (;;) {
    const { windowSizeMs } = settings;
    const range = { model, version, windowSizeMs, fromMs, toMs: lastStartMs };
    const starts = await store.windowStarts([range], windowsPerRead);
    for (const page of windowPages([range], starts)) {
      const windows = await store.windows(page);
      yield* windows.get(versionKey(range)) ?? [];
    }
    const read = starts.get(versionKey(range)) ?? [];
    if (read.length < windowsPerRead) return;
    fromMs = read.at(-1)!.startMs + 1;
  }
}

function accountOf(
  fold: VersionFold,
  segment: string,
  window: WindowObservation,
  detection: ModelSettings['detection'],
): WindowAccount {
  const context = { model: fold.model, version: fold.version, segment, detection };
  return accountFor(stateOf(fold, context, window.endMs - window.startMs), window, context);
}

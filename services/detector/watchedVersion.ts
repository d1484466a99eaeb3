import type { Alert, DriftEvent } from '../shared/contracts.ts';
import type { ModelSettings } from '../shared/settings.ts';
import type { VersionName } from '../shared/versionKey.ts';
import type { DriftEventChange } from './driftEventRevisions.ts';
import type { detectorStore, ObservedWindows, StoredEvaluation } from './store.ts';
import { evaluationDigest, evaluationKey } from './store.ts';
import { type FoldedWindow, foldVersionWindow, openEpisodes, rewound, type VersionFold } from './versionFold.ts';
import { combinedWatermarkMs, nothingRead, type Readiness, withWatermark } from './windowReadiness.ts';

type Store = ReturnType<typeof detectorStore>;

/** Profiles that are read at once: some 50 MB. */
const profilesPerPage = 10_000;

/** A model version in memory. Everything in it can be loaded again. */
export interface WatchedVersion extends VersionName {
  settings: ModelSettings;
  readiness: Readiness;
  fold: VersionFold;
  /** Windows that end up to here were judged before, by whomever. */
  evaluatedUntilMs: number;
  /** Windows that end up to here are in the fold. */
  foldedUntilMs: number;
  /** Start of the first window whose rows changed since it was judged. */
  changedFromMs: number;
  events: ReadonlyMap<string, DriftEvent>;
  alerts: ReadonlyMap<string, Alert>;
}

/** Changes of drift events that a run over windows brought about, for `driftEventRevisions`. */
export interface FoldRun {
  settled: DriftEventChange[];
  fresh: DriftEventChange[];
  refoldedFromMs: number;
}

export async function loadVersion(
  store: Store,
  name: VersionName,
  settings: ModelSettings,
  nowMs: number,
): Promise<WatchedVersion> {
  let readiness = nothingRead;
  for (const { partition, maxEventTimeMs } of await store.progress(name)) {
    readiness = withWatermark(readiness, partition, maxEventTimeMs - settings.allowedLateness, nowMs);
  }
  return {
    ...name,
    settings,
    readiness,
    fold: { ...name, given: await store.givenReference(name), checkpoints: [] },
    evaluatedUntilMs: (await store.evaluatedUntilMs(name)) ?? Number.NEGATIVE_INFINITY,
    foldedUntilMs: Number.NEGATIVE_INFINITY,
    changedFromMs: Number.POSITIVE_INFINITY,
    events: await store.driftEvents(name),
    alerts: await store.alerts(name),
  };
}

/** End of the last whole window that can be judged. What was judged once stays so, whatever a restart knows of the clocks. */
export function judgeableUntilMs(version: WatchedVersion, nowMs: number): number {
  const { window, idle } = version.settings;
  const watermarkMs = combinedWatermarkMs(version.readiness, nowMs, idle);
  return Math.max(version.evaluatedUntilMs, Math.floor(watermarkMs / window) * window);
}

export function hasWork(version: WatchedVersion, nowMs: number): boolean {
  return version.changedFromMs < version.foldedUntilMs || judgeableUntilMs(version, nowMs) > version.foldedUntilMs;
}

/**
 * Judges the windows that have become ready, and again those that changed: reads them, folds them, writes the verdicts
 * that are news. The version is brought up to date in place; its drift events are left to the caller to publish.
 *
 * @param onEvaluated told of each page of verdicts that were written, with the number of their metrics
 */
export async function judgeVersion(
  store: Store,
  version: WatchedVersion,
  nowMs: number,
  onEvaluated: (evaluations: readonly FoldedWindow[], metrics: number) => void,
): Promise<FoldRun> {
  const untilMs = judgeableUntilMs(version, nowMs);
  const { window: windowSizeMs, detection } = version.settings;
  let fold = rewound(version.fold, Math.min(version.changedFromMs, version.foldedUntilMs));
  const resumedAfter = fold.checkpoints.at(-1);
  const run: FoldRun = {
    settled: resumedAfter ? openEpisodes(fold) : [],
    fresh: [],
    refoldedFromMs: resumedAfter ? resumedAfter.windowStartMs + 1 : Number.MIN_SAFE_INTEGER,
  };
  const range = {
    model: version.model,
    version: version.version,
    windowSizeMs,
    fromMs: resumedAfter ? resumedAfter.windowStartMs + 1 : earliestMs,
    toMs: Math.min(untilMs - windowSizeMs, latestMs),
  };
  const judgedFromMs = Math.min(version.changedFromMs, version.evaluatedUntilMs);
  for (const page of pagesOf(await store.windowStarts(range))) {
    const pageRange = { ...range, ...page };
    const windows = await store.windows(pageRange);
    const stored = page.fromMs < version.evaluatedUntilMs ? await store.evaluations(pageRange) : new Map();
    const result = foldPage(fold, windows, detection, judgedFromMs);
    fold = result.fold;
    collectChanges(run, result.folded, version.evaluatedUntilMs);
    const news = newEvaluations(
      result.folded.filter(({ observation }) => observation.startMs >= judgedFromMs),
      stored,
    );
    onEvaluated(news, await store.insertEvaluations(version, news));
  }
  version.fold = fold;
  version.foldedUntilMs = untilMs;
  version.evaluatedUntilMs = Math.max(
    version.evaluatedUntilMs,
    (fold.checkpoints.at(-1)?.windowStartMs ?? Number.NEGATIVE_INFINITY) + windowSizeMs,
  );
  version.changedFromMs = Number.POSITIVE_INFINITY;
  return run;
}

/** Bounds of DateTime64: windows outside do not exist. */
const earliestMs = Date.UTC(1900, 0, 1);
const latestMs = Date.UTC(2299, 0, 1);

function* pagesOf(
  starts: readonly { startMs: number; profiles: number }[],
): Generator<{ fromMs: number; toMs: number }> {
  let first = 0;
  let profiles = 0;
  for (const [index, window] of starts.entries()) {
    profiles += window.profiles;
    if (profiles < profilesPerPage && index < starts.length - 1) continue;
    yield { fromMs: starts[first]!.startMs, toMs: window.startMs };
    first = index + 1;
    profiles = 0;
  }
}

function foldPage(
  start: VersionFold,
  windows: ObservedWindows,
  detection: ModelSettings['detection'],
  judgedFromMs: number,
): { fold: VersionFold; folded: FoldedWindow[] } {
  let fold = start;
  const folded: FoldedWindow[] = [];
  for (const [startMs, segments] of windows) {
    const result = foldVersionWindow(fold, startMs, segments, detection, startMs >= judgedFromMs);
    fold = result.fold;
    folded.push(...result.folded);
  }
  return { fold, folded };
}

function collectChanges(run: FoldRun, folded: readonly FoldedWindow[], evaluatedUntilMs: number): void {
  for (const { observation, verdict } of folded) {
    if (!verdict.change) continue;
    const changes = observation.endMs <= evaluatedUntilMs ? run.settled : run.fresh;
    changes.push({ content: verdict.change, atMs: observation.endMs });
  }
}

function newEvaluations(
  folded: readonly FoldedWindow[],
  stored: ReadonlyMap<string, StoredEvaluation>,
): (FoldedWindow & StoredEvaluation)[] {
  return folded.flatMap(window => {
    const known = stored.get(evaluationKey(window.segment, window.observation.startMs));
    const digest = evaluationDigest(window);
    return known?.digest === digest ? [] : [{ ...window, revision: (known?.revision ?? 0) + 1, digest }];
  });
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { earliestMs, latestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { versionKey } from '../../shared/versionKey.ts';
import { type PackedCheckpoint, packCheckpoint } from '../checkpoints/packedStates.ts';
import type { DriftEventChange } from '../events/driftEventRevisions.ts';
import { detectionAt, type SettingsTimeline } from '../fold/settingsTimeline.ts';
import { thinnedCheckpoints } from '../fold/thinnedCheckpoints.ts';
import {
  type FoldedWindow,
  foldVersionWindow,
  openEpisodes,
  type VersionFold,
} from '../fold/versionFold.ts';
import {
  type JudgedWindow,
  type JudgedWindowOfVersion,
  type JudgedWindowRevision,
  judgedWindowDigest,
  judgedWindowKey,
} from '../store/judgedWindow.ts';
import type { ObservedWindows } from '../store/observedWindows.ts';
import type { DetectorStore } from '../store/store.ts';
import type { WindowRange } from '../store/windowRange.ts';
import { resumeFolds } from './resumeFolds.ts';
import { judgeableUntilMs, type WatchedVersion } from './watchedVersion.ts';

/** Profiles that are read at once: some 50 MB. */
const profilesPerPage = 10_000;

/** A run over windows of a version, with the changes of drift events that it brought about, for `driftEventRevisions`. */
export interface JudgeRun {
  version: WatchedVersion;
  settled: DriftEventChange[];
  fresh: DriftEventChange[];
  refoldedFromMs: number;
}

interface OpenRun extends JudgeRun {
  fold: VersionFold;
  /** Windows that start before this are only folded: they were judged, and nothing about them has changed. */
  judgedFromMs: number;
  untilMs: number;
  foldedUntilMs: number;
  passed: PackedCheckpoint[];
}

/**
 * Judges the windows of a group of versions that have become ready, and again those that changed: reads them, folds them,
 * writes the verdicts that are news. The versions are brought up to date in place; their drift events are left to the
 * caller to publish. A version may still have work afterwards.
 *
 * @param windowsPerRun of one version; a longer history is judged in several runs, after each of which it may be stored how far it came
 * @param onJudged told of the verdicts that were written, with the number of their metrics
 */
export async function judgeVersions(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
  nowMs: number,
  windowsPerRun: number,
  onJudged: (windows: readonly JudgedWindow[], metrics: number) => void,
): Promise<JudgeRun[]> {
  await resumeFolds(store, versions);
  const runs = versions.map(version => newRun(version, nowMs));
  let open = runs;
  while (open.length > 0) {
    const starts = await store.windowStarts(open.map(rangeOf), windowsPerRun);
    for (const page of pagesOf(open, starts)) await foldPage(store, page, onJudged);
    for (const run of open) {
      const read = starts.get(versionKey(run.version)) ?? [];
      if (read.length < windowsPerRun) run.foldedUntilMs = run.untilMs;
    }
    // Of windows that had been judged before the outcome counts: it is known when all of them are folded.
    open = open.filter(run => run.foldedUntilMs < Math.min(run.untilMs, run.version.judgedUntilMs));
    for (const run of open)
      run.passed = thinnedCheckpoints([
        ...run.passed,
        packCheckpoint(run.fold.checkpoints.at(-1)!),
      ]);
  }
  for (const run of runs) finish(run);
  return runs;
}

function newRun(version: WatchedVersion, nowMs: number): OpenRun {
  const { fold } = version.live!;
  const resumedAfter = fold.checkpoints.at(-1);
  return {
    version,
    fold,
    settled: openEpisodes(fold).map(content => ({ content, atMs: content.detectedAtEventTime })),
    fresh: [],
    refoldedFromMs: resumedAfter ? resumedAfter.windowStartMs + 1 : Number.MIN_SAFE_INTEGER,
    judgedFromMs: Math.min(version.changedFromMs, version.judgedUntilMs),
    untilMs: judgeableUntilMs(version, nowMs),
    foldedUntilMs: Number.NEGATIVE_INFINITY,
    passed: [],
  };
}

/** What is left to read of a run. */
function rangeOf({ version: { model, version, settings }, fold, untilMs }: OpenRun): WindowRange {
  const last = fold.checkpoints.at(-1);
  return {
    model,
    version,
    windowSizeMs: settings.window,
    fromMs: last ? last.windowStartMs + 1 : earliestMs,
    toMs: Math.min(untilMs - settings.window, latestMs),
  };
}

/** Windows that are read together, of one or of many versions. */
type Page = { run: OpenRun; range: WindowRange }[];

function* pagesOf(
  runs: readonly OpenRun[],
  starts: ReadonlyMap<string, readonly { startMs: number; profiles: number }[]>,
): Generator<Page> {
  let page: Page = [];
  let pageProfiles = 0;
  for (const run of runs) {
    let firstOfPage = true;
    for (const { startMs, profiles } of starts.get(versionKey(run.version)) ?? []) {
      if (firstOfPage) page.push({ run, range: { ...rangeOf(run), fromMs: startMs } });
      firstOfPage = false;
      page.at(-1)!.range.toMs = startMs;
      pageProfiles += profiles;
      if (pageProfiles < profilesPerPage) continue;
      yield page;
      page = [];
      pageProfiles = 0;
      firstOfPage = true;
    }
  }
  if (page.length > 0) yield page;
}

async function foldPage(
  store: DetectorStore,
  page: Page,
  onJudged: (windows: readonly JudgedWindow[], metrics: number) => void,
): Promise<void> {
  const judgedBefore = page.filter(({ run, range }) => range.fromMs < run.version.judgedUntilMs);
  const [windows, stored] = await Promise.all([
    store.windows(page.map(({ range }) => range)),
    store.judgedWindows(judgedBefore.map(({ range }) => range)),
  ]);
  const judged: JudgedWindowOfVersion[] = [];
  for (const { run } of page) {
    const { version, judgedFromMs } = run;
    const key = versionKey(version);
    const folded = await foldWindows(run, windows.get(key)!, version.ledger.settings);
    collectChanges(run, folded);
    const news = newJudgedWindows(
      folded.filter(({ observation }) => observation.startMs >= judgedFromMs),
      stored.get(key) ?? new Map(),
    );
    const { model, version: name } = version;
    judged.push(...news.map(window => ({ ...window, model, version: name })));
  }
  const metrics = await store.insertJudgedWindows(judged);
  onJudged(judged, metrics);
}

/** Window by window: heartbeats go on in between, or Kafka would take a detector with a long history to judge for dead. */
async function foldWindows(
  run: OpenRun,
  windows: ObservedWindows,
  settings: SettingsTimeline,
): Promise<FoldedWindow[]> {
  const all: FoldedWindow[] = [];
  for (const [startMs, segments] of windows) {
    await nextTurn();
    const detection: ModelSettings['detection'] = detectionAt(settings, startMs);
    const { fold, folded } = foldVersionWindow(
      run.fold,
      startMs,
      segments,
      detection,
      startMs >= run.judgedFromMs,
    );
    run.fold = fold;
    run.foldedUntilMs = startMs + run.version.settings.window;
    all.push(...folded);
  }
  return all;
}

function collectChanges(run: OpenRun, folded: readonly FoldedWindow[]): void {
  for (const { observation, verdict } of folded) {
    if (!verdict.change) continue;
    const changes = observation.endMs <= run.version.judgedUntilMs ? run.settled : run.fresh;
    changes.push({ content: verdict.change, atMs: observation.endMs });
  }
}

function newJudgedWindows(
  folded: readonly FoldedWindow[],
  stored: ReadonlyMap<string, JudgedWindowRevision>,
): JudgedWindow[] {
  return folded.flatMap(window => {
    const known = stored.get(judgedWindowKey(window.segment, window.observation.startMs));
    const digest = judgedWindowDigest(window);
    return known?.digest === digest
      ? []
      : [{ ...window, revision: (known?.revision ?? 0) + 1, digest }];
  });
}

function finish({ version, fold, foldedUntilMs, passed }: OpenRun): void {
  const lastEndMs =
    (fold.checkpoints.at(-1)?.windowStartMs ?? Number.NEGATIVE_INFINITY) + version.settings.window;
  version.live = { ...version.live!, fold, passed };
  version.foldedUntilMs = foldedUntilMs;
  version.judgedUntilMs = Math.max(version.judgedUntilMs, lastEndMs);
  version.changedFromMs = Number.POSITIVE_INFINITY;
}

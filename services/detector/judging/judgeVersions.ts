import { setImmediate as nextTurn } from 'node:timers/promises';
import { earliestMs, latestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
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
  type Evaluation,
  evaluationDigest,
  evaluationKey,
  type StoredEvaluation,
} from '../store/evaluation.ts';
import type { ObservedWindows } from '../store/observedWindows.ts';
import type { DetectorStore, WindowRange } from '../store/store.ts';
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
 * @param onEvaluated told of the verdicts that were written, with the number of their metrics
 */
export async function judgeVersions(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
  nowMs: number,
  windowsPerRun: number,
  onEvaluated: (evaluations: readonly FoldedWindow[], metrics: number) => void,
): Promise<JudgeRun[]> {
  await resumeFolds(store, versions);
  const runs = versions.map(version => newRun(version, nowMs));
  let open = runs;
  while (open.length > 0) {
    const starts = await store.windowStarts(open.map(rangeOf), windowsPerRun);
    for (const page of pagesOf(open, starts)) await foldPage(store, page, onEvaluated);
    for (const run of open) {
      const read = starts.get(versionKey(run.version)) ?? [];
      if (read.length < windowsPerRun) run.foldedUntilMs = run.untilMs;
    }
    // Of windows that had been judged before the outcome counts: it is known when all of them are folded.
    open = open.filter(
      run => run.foldedUntilMs < Math.min(run.untilMs, run.version.evaluatedUntilMs),
    );
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
    judgedFromMs: Math.min(version.changedFromMs, version.evaluatedUntilMs),
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
    windowSizeMs: settings.windowSizeMs,
    fromMs: last ? last.windowStartMs + 1 : earliestMs,
    toMs: Math.min(untilMs - settings.windowSizeMs, latestMs),
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
  onEvaluated: (evaluations: readonly FoldedWindow[], metrics: number) => void,
): Promise<void> {
  const judgedBefore = page.filter(({ run, range }) => range.fromMs < run.version.evaluatedUntilMs);
  const [windows, stored] = await Promise.all([
    store.windows(page.map(({ range }) => range)),
    store.evaluations(judgedBefore.map(({ range }) => range)),
  ]);
  const judged: (VersionName & { evaluations: Evaluation[] })[] = [];
  for (const { run } of page) {
    const { version, judgedFromMs } = run;
    const key = versionKey(version);
    const folded = await foldWindows(run, windows.get(key)!, version.ledger.settings);
    collectChanges(run, folded);
    const evaluations = newEvaluations(
      folded.filter(({ observation }) => observation.startMs >= judgedFromMs),
      stored.get(key) ?? new Map(),
    );
    judged.push({ model: version.model, version: version.version, evaluations });
  }
  const metrics = await store.insertEvaluations(judged);
  onEvaluated(
    judged.flatMap(({ evaluations }) => evaluations),
    metrics,
  );
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
    run.foldedUntilMs = startMs + run.version.settings.windowSizeMs;
    all.push(...folded);
  }
  return all;
}

function collectChanges(run: OpenRun, folded: readonly FoldedWindow[]): void {
  for (const { observation, verdict } of folded) {
    if (!verdict.change) continue;
    const changes = observation.endMs <= run.version.evaluatedUntilMs ? run.settled : run.fresh;
    changes.push({ content: verdict.change, atMs: observation.endMs });
  }
}

function newEvaluations(
  folded: readonly FoldedWindow[],
  stored: ReadonlyMap<string, StoredEvaluation>,
): Evaluation[] {
  return folded.flatMap(window => {
    const known = stored.get(evaluationKey(window.segment, window.observation.startMs));
    const digest = evaluationDigest(window);
    return known?.digest === digest
      ? []
      : [{ ...window, revision: (known?.revision ?? 0) + 1, digest }];
  });
}

function finish({ version, fold, foldedUntilMs, passed }: OpenRun): void {
  const lastEndMs =
    (fold.checkpoints.at(-1)?.windowStartMs ?? Number.NEGATIVE_INFINITY) +
    version.settings.windowSizeMs;
  version.live = { ...version.live!, fold, passed };
  version.foldedUntilMs = foldedUntilMs;
  version.evaluatedUntilMs = Math.max(version.evaluatedUntilMs, lastEndMs);
  version.changedFromMs = Number.POSITIVE_INFINITY;
}

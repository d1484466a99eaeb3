import { setImmediate as nextTurn } from 'node:timers/promises';
import { earliestMs, latestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import type { Alert } from '../../shared/contracts.ts';
import { versionKey } from '../../shared/versionKey.ts';
import type { PackedCheckpoint } from '../checkpoints/packedStates.ts';
import { alertRevisions } from '../events/alertLifecycle.ts';
import type { DriftEventRevision } from '../events/driftEventRevisions.ts';
import type { JudgedWindowOfVersion, JudgedWindowRevision } from '../store/judgedWindow.ts';
import type { ObservedWindows } from '../store/observedWindows.ts';
import type { DetectorStore } from '../store/store.ts';
import type { WindowRange } from '../store/windowRange.ts';
import { JudgeRun } from './judgeRun.ts';
import { labelsRange } from './labelsRange.ts';
import { measured } from './liveFold.ts';
import { resumeFolds } from './resumeFolds.ts';
import {
  detectionOf,
  firstChangeMs,
  judgeableUntilMs,
  type LiveVersion,
  type WatchedVersion,
  withChangeFrom,
  withPublished,
} from './watchedVersion.ts';
import { type WindowPage, windowPages } from './windowPages.ts';

export interface JudgeOptions {
  nowMs: number;
  /** Windows of one version that are read before the run may end. */
  windowsPerRun: number;
  /** Told of the judged windows that were written, and of the number of their metrics. */
  onWritten(windows: readonly JudgedWindowOfVersion[], metrics: number): void;
}

/** A version after a run, with what the run leaves to do. */
export interface JudgedVersion {
  version: WatchedVersion;
  /** Revisions to publish, in this order. */
  revisions: readonly DriftEventRevision[];
  alerts: readonly Alert[];
  /** Checkpoints on the way to the newest states of the fold. */
  passed: readonly PackedCheckpoint[];
}

interface OpenRun {
  version: LiveVersion;
  run: JudgeRun;
}

/**
 * Judges the windows of a group of versions that have become ready, and again those that changed:
 * reads them, folds them, and writes the verdicts that are new. Drift events and alerts are left to
 * the caller to publish. A version with a long history may still have work afterwards.
 */
export async function judgeVersions(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
  options: JudgeOptions,
): Promise<JudgedVersion[]> {
  const { nowMs, windowsPerRun } = options;
  const resumed = await resumeFolds(store, await withOutdated(store, versions));
  const runs = new Map(
    resumed.map(version => [versionKey(version), { version, run: begunRun(version, nowMs) }]),
  );
  await judgeLabels(store, [...runs.values()], options);
  let open = [...runs.values()];
  while (open.length > 0) {
    const ranges = open.map(rangeOf);
    const starts = await store.windowStarts(ranges, windowsPerRun);
    for (const page of windowPages(ranges, starts)) await judgePage(store, runs, page, options);
    for (const { version, run } of open) {
      const read = starts.get(versionKey(version)) ?? [];
      if (read.length < windowsPerRun) run.noteNoneLeft();
    }
    open = open.filter(({ run }) => !run.mayEnd);
    for (const { run } of open) run.keepCheckpoint();
  }
  return [...runs.values()].map(endedRun);
}

/**
 * Returns the versions so that windows whose labels changed are judged again with their inputs from
 * the first one on that an earlier release judged. Its metrics of inputs would stay otherwise.
 */
async function withOutdated(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<WatchedVersion[]> {
  const ranges = versions
    .filter(({ labelsChangedFromMs }) => labelsChangedFromMs < Number.POSITIVE_INFINITY)
    .map(({ model, version, settings, labelsChangedFromMs }) => ({
      model,
      version,
      windowSizeMs: settings.windowSizeMs,
      fromMs: labelsChangedFromMs,
      toMs: latestMs,
    }));
  const outdated = await store.firstOutdatedMs(ranges);
  return versions.map(version =>
    withChangeFrom(version, outdated.get(versionKey(version)) ?? Number.POSITIVE_INFINITY),
  );
}

function begunRun(version: LiveVersion, nowMs: number): JudgeRun {
  return new JudgeRun(version.live.fold, {
    windowSizeMs: version.settings.windowSizeMs,
    judgedUntilMs: version.judgedUntilMs,
    changedFromMs: firstChangeMs(version),
    untilMs: judgeableUntilMs(version, nowMs),
    withMetrics: true,
    acceptances: version.acceptances,
  });
}

/** Returns the range of the windows that are left to fold. */
function rangeOf({ version: { model, version, settings }, run }: OpenRun): WindowRange {
  return {
    model,
    version,
    windowSizeMs: settings.windowSizeMs,
    fromMs: Math.max(run.nextStartMs, earliestMs),
    toMs: Math.min(run.lastStartMs, latestMs),
  };
}

/** Reads and judges a page of windows, and writes the verdicts that are new. */
async function judgePage(
  store: DetectorStore,
  runs: ReadonlyMap<string, OpenRun>,
  page: WindowPage,
  { onWritten }: JudgeOptions,
): Promise<void> {
  const judgedBefore = page.filter(
    range => range.fromMs < runs.get(versionKey(range))!.version.judgedUntilMs,
  );
  const [windows, stored] = await Promise.all([
    store.windows(page),
    store.judgedWindows(judgedBefore),
  ]);
  const judged: JudgedWindowOfVersion[] = [];
  for (const range of page) {
    const key = versionKey(range);
    judged.push(...(await judgeWindows(runs.get(key)!, windows.get(key)!, stored.get(key))));
  }
  onWritten(judged, await store.insertJudgedWindows(judged));
}

/**
 * Judges windows one by one. Heartbeats go on in between; otherwise Kafka would take a detector
 * with a long history to judge for dead.
 */
async function judgeWindows(
  { version, run }: OpenRun,
  windows: ObservedWindows,
  stored: ReadonlyMap<string, JudgedWindowRevision> | undefined,
): Promise<JudgedWindowOfVersion[]> {
  const { model, version: name } = version;
  const judged: JudgedWindowOfVersion[] = [];
  for (const [startMs, segments] of windows) {
    await nextTurn();
    const detection = detectionOf(version, startMs);
    for (const window of run.foldWindow(startMs, segments, detection, stored))
      judged.push({ ...window, model, version: name });
  }
  return judged;
}

/**
 * Reads the labels of windows whose inputs have not changed, judges them, and writes the verdicts
 * that are new.
 */
async function judgeLabels(
  store: DetectorStore,
  runs: readonly OpenRun[],
  { onWritten }: JudgeOptions,
): Promise<void> {
  const ranges = runs.flatMap(({ version, run }) => labelsRange(version, run.nextLabelsMs) ?? []);
  if (ranges.length === 0) return;
  const [labels, stored] = await Promise.all([store.labels(ranges), store.judgedWindows(ranges)]);
  const judged: JudgedWindowOfVersion[] = [];
  for (const { version, run } of runs) {
    const key = versionKey(version);
    const { model, version: name } = version;
    for (let startMs = run.nextLabelsMs; startMs !== null; startMs = run.nextLabelsMs) {
      await nextTurn();
      const performances = labels.get(key)?.get(startMs) ?? new Map();
      const detection = detectionOf(version, startMs);
      for (const window of run.foldLabels(performances, detection, stored.get(key)))
        judged.push({ ...window, model, version: name });
    }
  }
  onWritten(judged, await store.insertJudgedWindows(judged));
}

function endedRun({ version, run }: OpenRun): JudgedVersion {
  const { fold, foldedUntilMs, judgedUntilMs, passed, revisions } = run.end(version.events);
  const alerts = alertRevisions(version, revisions, judgedUntilMs, version.acts);
  return {
    version: {
      ...withPublished(version, revisions, alerts),
      foldedUntilMs,
      judgedUntilMs,
      changedFromMs: Number.POSITIVE_INFINITY,
      labelsChangedFromMs: Number.POSITIVE_INFINITY,
      live: measured({ ...version.live, fold }),
    },
    revisions,
    alerts,
    passed,
  };
}

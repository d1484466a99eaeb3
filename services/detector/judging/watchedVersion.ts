import { earliestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Alert, DriftEvent } from '../../shared/contracts.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { type FoldLedger, nothingAnnounced } from '../checkpoints/foldLedger.ts';
import type { PackedCheckpoint } from '../checkpoints/packedStates.ts';
import { withSettings } from '../fold/settingsTimeline.ts';
import type { VersionFold } from '../fold/versionFold.ts';
import type { DetectorStore } from '../store/store.ts';
import {
  combinedWatermarkMs,
  nothingRead,
  type Readiness,
  withWatermark,
} from './windowReadiness.ts';

/** A model version in memory: some kilobytes, and its fold while there is room. Everything in it can be loaded again. */
export interface WatchedVersion extends VersionName {
  settings: ModelSettings;
  readiness: Readiness;
  ledger: FoldLedger;
  /** Whether the ledger has heard of anything since it was stored. */
  ledgerChanged: boolean;
  /** Windows that end up to here were judged before, by whomever. */
  judgedUntilMs: number;
  /** Windows that end up to here are in the fold, or in the newest checkpoint of the ledger. */
  foldedUntilMs: number;
  /** Start of the first window whose rows changed since it was judged. */
  changedFromMs: number;
  /** Newest revisions, by id, of what is open; while windows are judged, also of what the fold may change. Known once a fold was loaded. */
  events: ReadonlyMap<string, DriftEvent>;
  alerts: ReadonlyMap<string, Alert>;
  /** Null while the fold is not in memory: `resumeFolds` brings it there. */
  live: LiveFold | null;
}

/** What it takes to judge windows. */
export interface LiveFold {
  fold: VersionFold;
  /** Checkpoints on the way to the newest states that are not stored yet. */
  passed: readonly PackedCheckpoint[];
  /** Of the newest states, serialized, when they were measured after so many windows. */
  stateBytes: number;
  measuredOrdinal: number;
}

export interface LoadOptions {
  settingsOf: (model: string) => ModelSettings;
  /** `foldAlgorithm` of this process. */
  algorithm: string;
  nowMs: number;
}

/** Brings versions to memory, without their folds. */
export async function loadVersions(
  store: DetectorStore,
  names: readonly VersionName[],
  { settingsOf, algorithm, nowMs }: LoadOptions,
): Promise<WatchedVersion[]> {
  const [progress, ledgers] = await Promise.all([store.progress(names), store.ledgers(names)]);
  const evaluated = await store.judgedUntilMs(
    names.map(({ model, version }) => {
      // A ledger is written after the windows of its checkpoints: what follows the newest is enough to look at.
      const newest = ledgers.get(versionKey({ model, version }))?.checkpoints.at(-1);
      return { model, version, fromMs: newest?.windowStartMs ?? earliestMs };
    }),
  );
  return names.map(({ model, version }) => {
    const key = versionKey({ model, version });
    const settings = settingsOf(model);
    let readiness = nothingRead;
    for (const { partition, maxEventTimeMs } of progress.get(key) ?? []) {
      readiness = withWatermark(
        readiness,
        partition,
        maxEventTimeMs - settings.allowedLateness,
        nowMs,
      );
    }
    const stored = ledgers.get(key);
    const judgedUntilMs = evaluated.get(key) ?? Number.NEGATIVE_INFINITY;
    const ledger = usableLedger(stored, settings, algorithm, judgedUntilMs);
    const newest = ledger.checkpoints.at(-1);
    return {
      model,
      version,
      settings,
      readiness,
      ledger,
      ledgerChanged: ledger.settings !== stored?.settings,
      judgedUntilMs,
      foldedUntilMs: newest ? newest.windowStartMs + settings.window : Number.NEGATIVE_INFINITY,
      changedFromMs: Number.POSITIVE_INFINITY,
      events: new Map(),
      alerts: new Map(),
      live: null,
    };
  });
}

/** The ledger as far as it is about the windows and the code of today. */
function usableLedger(
  stored: FoldLedger | undefined,
  { window: windowSizeMs, detection }: ModelSettings,
  algorithm: string,
  judgedUntilMs: number,
): FoldLedger {
  const settings = withSettings(
    stored?.settings ?? [],
    detection,
    Math.max(judgedUntilMs, earliestMs),
  );
  const sameFold = stored?.windowSizeMs === windowSizeMs && stored.algorithm === algorithm;
  return {
    windowSizeMs,
    position: stored?.position ?? nothingAnnounced,
    algorithm,
    referenceId: stored?.referenceId ?? null,
    checkpoints: sameFold ? stored.checkpoints : [],
    settings,
  };
}

/** End of the last whole window that can be judged. What was judged once stays so, whatever a restart knows of the clocks. */
export function judgeableUntilMs(version: WatchedVersion, nowMs: number): number {
  const { window, idle } = version.settings;
  const watermarkMs = combinedWatermarkMs(version.readiness, nowMs, idle);
  return Math.max(version.judgedUntilMs, Math.floor(watermarkMs / window) * window);
}

export function hasWork(version: WatchedVersion, nowMs: number): boolean {
  return (
    version.changedFromMs < version.foldedUntilMs ||
    judgeableUntilMs(version, nowMs) > version.foldedUntilMs
  );
}

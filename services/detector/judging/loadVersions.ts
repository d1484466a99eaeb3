import { createHash } from 'node:crypto';
import { earliestMs } from '../../shared/clickhouse/eventTimeBounds.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import type { FeatureKinds } from '../../shared/featureKind.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { type FoldLedger, nothingAnnounced } from '../checkpoints/foldLedger.ts';
import { withSettings } from '../fold/settingsTimeline.ts';
import type { DetectorStore } from '../store/store.ts';
import type { StoredProgress } from '../store/streamProgress.ts';
import type { WatchedVersion } from './watchedVersion.ts';
import { nothingRead, type Readiness, withWatermark } from './windowReadiness.ts';

export interface LoadOptions {
  settingsOf: (model: string) => ModelSettings;
  /** `foldAlgorithm` of this process. */
  algorithm: string;
  nowMs: number;
}

/** Loads versions into memory, without their folds. */
export async function loadVersions(
  store: DetectorStore,
  names: readonly VersionName[],
  { settingsOf, algorithm, nowMs }: LoadOptions,
): Promise<WatchedVersion[]> {
  const [progress, ledgers] = await Promise.all([store.progress(names), store.ledgers(names)]);
  const judgedUntilMs = await store.judgedUntilMs(
    names.map(({ model, version }) => {
      // A ledger is written after the windows up to its checkpoints were, so that only those after
      // the newest checkpoint have to be looked at.
      const newest = ledgers.get(versionKey({ model, version }))?.checkpoints.at(-1);
      return { model, version, fromMs: newest?.windowStartMs ?? earliestMs };
    }),
  );
  return names.map(name => {
    const key = versionKey(name);
    const settings = settingsOf(name.model);
    const readiness = readinessOf(progress.get(key) ?? [], settings, nowMs);
    const judgedUntil = judgedUntilMs.get(key) ?? Number.NEGATIVE_INFINITY;
    const stored = ledgers.get(key);
    const ledger = usableLedger(stored, settings, algorithm, judgedUntil);
    const newest = ledger.checkpoints.at(-1);
    return {
      model: name.model,
      version: name.version,
      settings,
      readiness,
      ledger,
      ledgerChanged: ledger.settings !== stored?.settings,
      judgedUntilMs: judgedUntil,
      foldedUntilMs: newest
        ? newest.windowStartMs + settings.windowSizeMs
        : Number.NEGATIVE_INFINITY,
      changedFromMs: Number.POSITIVE_INFINITY,
      labelsChangedFromMs: Number.POSITIVE_INFINITY,
      events: new Map(),
      alerts: new Map(),
      acceptances: new Map(),
      acts: [],
      storedVariables: null,
      live: null,
    };
  });
}

function readinessOf(
  progress: readonly StoredProgress[],
  { outOfOrdernessMs }: ModelSettings,
  nowMs: number,
): Readiness {
  return progress.reduce(
    (readiness, { partition, maxEventTimeMs }) =>
      withWatermark(readiness, partition, maxEventTimeMs - outOfOrdernessMs, nowMs),
    nothingRead,
  );
}

/** Returns the ledger without what does not hold for today's window size, code and settings. */
function usableLedger(
  stored: FoldLedger | undefined,
  { windowSizeMs, detection }: ModelSettings,
  algorithm: string,
  judgedUntilMs: number,
): FoldLedger {
  const settings = withSettings(
    stored?.settings ?? [],
    detection,
    Math.max(judgedUntilMs, earliestMs),
  );
  // Kinds of features count from the first window on, so that a fold of other kinds is made anew.
  const { featureKinds } = detection;
  const identity = featureKinds ? `${algorithm} ${kindsDigest(featureKinds)}` : algorithm;
  const isSameFold = stored?.windowSizeMs === windowSizeMs && stored.algorithm === identity;
  return {
    windowSizeMs,
    position: stored?.position ?? nothingAnnounced,
    algorithm: identity,
    referenceId: stored?.referenceId ?? null,
    checkpoints: isSameFold ? stored.checkpoints : [],
    settings,
  };
}

/** Returns a short name of declared kinds, whatever their order. */
function kindsDigest(featureKinds: FeatureKinds): string {
  const sorted = Object.entries(featureKinds).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

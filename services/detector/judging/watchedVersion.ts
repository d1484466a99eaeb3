import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Alert, DriftEvent, WindowUpdate } from '../../shared/contracts.ts';
import type { KafkaRecord } from '../../shared/kafka/kafka.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import { advanced, type FoldLedger } from '../checkpoints/foldLedger.ts';
import type { AlertAct } from '../events/decideOnAlertRequest.ts';
import type { Acceptance } from '../events/driftEnd.ts';
import type { DriftEventRevision } from '../events/driftEventRevisions.ts';
import { detectionAt } from '../fold/settingsTimeline.ts';
import type { Regime } from '../reference/reference.ts';
import type { LiveFold } from './liveFold.ts';
import { combinedWatermarkMs, type Readiness, withWatermark } from './windowReadiness.ts';

/**
 * A model version in memory: some kilobytes, and its fold while there is room. All of it can be
 * loaded again. It is never changed once made: a function returns the version as it is next, and
 * the handler keeps only the newest.
 *
 * How far a version has come along its event time:
 *
 * - `readiness`: up to where predictions were read, per source partition.
 * - `judgedUntilMs`: windows that end by then have rows in evaluated_windows.
 * - `foldedUntilMs`: windows that end by then are in the fold, or do not exist. While the fold is
 *   not in memory, this holds for the newest checkpoint of the ledger.
 * - `changedFromMs`: start of the first window that has changed since it was folded or judged.
 * - `labelsChangedFromMs`: start of the first window of which only the labels have changed since.
 * - `ledger.checkpoints`: windows after which the fold can be taken up from what is stored.
 * - `live.fold.checkpoints`: windows after which the fold can be taken up from memory.
 *
 * None of them follows from the others. After a restart `judgedUntilMs` is ahead of
 * `foldedUntilMs`, because verdicts are stored more often than checkpoints. Where predictions are
 * missing, `foldedUntilMs` is ahead, because there was nothing to judge. Two things are derived
 * from them: `judgeableUntilMs`, up to where windows are ready, and `hasWork`.
 */
export interface WatchedVersion extends VersionName {
  readonly settings: ModelSettings;
  readonly readiness: Readiness;
  readonly ledger: FoldLedger;
  /** Whether the ledger has to be stored. */
  readonly ledgerChanged: boolean;
  readonly judgedUntilMs: number;
  readonly foldedUntilMs: number;
  /** Infinity when no window has changed. */
  readonly changedFromMs: number;
  /** Infinity when the labels of no window have changed. */
  readonly labelsChangedFromMs: number;
  /**
   * Newest revisions, by id, of the drift events and alerts that are open. While windows are judged
   * again, also of those that this may change. Known once the fold has been in memory.
   */
  readonly events: ReadonlyMap<string, DriftEvent>;
  readonly alerts: ReadonlyMap<string, Alert>;
  /** What people have accepted, by the id of the drift event. Known when `events` are. */
  readonly acceptances: ReadonlyMap<string, Acceptance>;
  /** What people have done with its alerts, in order. Known when `alerts` are. */
  readonly acts: readonly AlertAct[];
  /** The variables of the reference whose kinds were stored last; null when none were. */
  readonly storedVariables: Regime['frozen'] | null;
  /** Null while the fold is not in memory: `resumeFolds` brings it there. */
  readonly live: LiveFold | null;
}

/** A version whose fold is in memory. */
export type LiveVersion = WatchedVersion & { readonly live: LiveFold };

export function isLive(version: WatchedVersion): version is LiveVersion {
  return version.live !== null;
}

/**
 * Returns the settings with which a window is judged: those of its time, and the kinds of features
 * of today, because the whole history is folded again when these change.
 */
export function detectionOf(
  { ledger, settings }: WatchedVersion,
  windowStartMs: number,
): ModelSettings['detection'] {
  const { featureKinds } = settings.detection;
  return { ...detectionAt(ledger.settings, windowStartMs), featureKinds };
}

/** Returns the version after an announcement of its windows has been taken. */
export function withAnnouncement(
  version: WatchedVersion,
  update: WindowUpdate,
  { timestampMs, offset }: Pick<KafkaRecord, 'timestampMs' | 'offset'>,
  nowMs: number,
): WatchedVersion {
  const position = advanced(version.ledger.position, timestampMs, offset);
  const ledger = { ...version.ledger, position };
  const taken = { ...version, ledger, ledgerChanged: true };
  if (isOfOtherWindows(version, update)) return taken;
  const readiness = readinessAfter(version.readiness, update, nowMs);
  const foldedOrJudgedUntilMs = Math.max(version.judgedUntilMs, version.foldedUntilMs);
  const changed = update.windowStarts.filter(
    startMs => startMs + version.settings.windowSizeMs <= foldedOrJudgedUntilMs,
  );
  const change = update.kind === 'performance' ? withLabelsFrom : withChangeFrom;
  return changed.reduce(change, { ...taken, readiness });
}

/** Returns whether an update is about windows of the size before the setting was changed. */
export function isOfOtherWindows(
  { settings }: WatchedVersion,
  { windowSizeMs }: WindowUpdate,
): boolean {
  return windowSizeMs !== settings.windowSizeMs;
}

function readinessAfter(readiness: Readiness, update: WindowUpdate, nowMs: number): Readiness {
  const { kind, sourcePartition, watermark } = update;
  if (kind === 'end') return { ...readiness, ended: true };
  if (kind === 'profile' && watermark !== null)
    return withWatermark(readiness, sourcePartition, watermark, nowMs);
  return readiness;
}

/** Returns the version when its windows from a start on have to be judged again. */
export function withChangeFrom(version: WatchedVersion, startMs: number): WatchedVersion {
  return { ...version, changedFromMs: Math.min(version.changedFromMs, startMs) };
}

/** Returns the version when the labels of its windows from a start on have to be judged again. */
function withLabelsFrom(version: WatchedVersion, startMs: number): WatchedVersion {
  return { ...version, labelsChangedFromMs: Math.min(version.labelsChangedFromMs, startMs) };
}

/** Returns the start of the first window that changed in any way; Infinity when none has. */
export function firstChangeMs({ changedFromMs, labelsChangedFromMs }: WatchedVersion): number {
  return Math.min(changedFromMs, labelsChangedFromMs);
}

/**
 * Returns the end of the last whole window that can be judged. A window that was judged before
 * counts, whatever a restart knows of the clocks.
 */
export function judgeableUntilMs(version: WatchedVersion, nowMs: number): number {
  const { windowSizeMs, idleMs } = version.settings;
  const watermarkMs = combinedWatermarkMs(version.readiness, nowMs, idleMs);
  return Math.max(version.judgedUntilMs, Math.floor(watermarkMs / windowSizeMs) * windowSizeMs);
}

/** Returns whether windows have become ready, or have changed, since the version was judged. */
export function hasWork(version: WatchedVersion, nowMs: number): boolean {
  return (
    firstChangeMs(version) < version.foldedUntilMs ||
    judgeableUntilMs(version, nowMs) > version.foldedUntilMs
  );
}

/** Returns the version after revisions of its drift events and alerts were published. */
export function withPublished(
  version: WatchedVersion,
  revisions: readonly DriftEventRevision[],
  alerts: readonly Alert[],
): WatchedVersion {
  return {
    ...version,
    events: newest(
      version.events,
      revisions.map(({ event }) => event),
      ({ status }) => status === 'open',
    ),
    alerts: newest(version.alerts, alerts, ({ state }) => state !== 'resolved'),
  };
}

/** Returns the newest revisions by id, without those of which no more is to come. */
function newest<T extends { id: string }>(
  known: ReadonlyMap<string, T>,
  revisions: readonly T[],
  isOpen: (revision: T) => boolean,
): ReadonlyMap<string, T> {
  const all = new Map([...known, ...revisions.map(revision => [revision.id, revision] as const)]);
  return new Map([...all].filter(([, revision]) => isOpen(revision)));
}

import { versionKey } from '../../shared/versionKey.ts';
import { freeSlot, withCheckpoint } from '../checkpoints/foldLedger.ts';
import { type PackedCheckpoint, packCheckpoint } from '../checkpoints/packedStates.ts';
import type { StateSlot } from '../store/foldStates.ts';
import type { DetectorStore } from '../store/store.ts';
import { heapBytesOf } from './liveFold.ts';
import { firstChangeMs, isLive, type LiveVersion, type WatchedVersion } from './watchedVersion.ts';

export interface FoldLimits {
  /** A fold gets a checkpoint after this many windows: a restart has to read as many again. */
  windowsPerCheckpoint: number;
  /** Windows of one version that are judged before checkpoints are stored again. */
  windowsPerRun: number;
  /** What folds in memory may take. The rest of the process takes as much, plus garbage. */
  maxHeapBytes: number;
}

export const foldLimits: FoldLimits = {
  windowsPerCheckpoint: 64,
  windowsPerRun: 256,
  maxHeapBytes: 128 * 1024 * 1024,
};

/** Checkpoints that a run has passed, by `versionKey`. */
export type PassedCheckpoints = ReadonlyMap<string, readonly PackedCheckpoint[]>;

/** A checkpoint as it is stored. */
type StoredState = StateSlot & { text: string };

export interface KeptFolds {
  /** Versions that have another ledger or no longer have a fold in memory. */
  changed: WatchedVersion[];
  /** Number of checkpoints that were stored. */
  stored: number;
}

/**
 * Stores checkpoints of the folds that have gone far since their last one. When all folds together
 * take too much memory, those used least recently leave it: taking up a fold again from a
 * checkpoint costs a few ms.
 *
 * @param versions in memory, least recently used first
 * @param passed stored together with the newest checkpoint of their version. After a run of
 *   `windowsPerRun` windows, more than `windowsPerCheckpoint`, there is always one to store.
 */
export async function keepFolds(
  store: DetectorStore,
  versions: Iterable<WatchedVersion>,
  passed: PassedCheckpoints,
  { windowsPerCheckpoint, maxHeapBytes }: FoldLimits,
): Promise<KeptFolds> {
  // A fold that has to go back is not stored as it stands.
  const live = [...versions].filter(isLive);
  const unchanged = live.filter(version => firstChangeMs(version) === Number.POSITIVE_INFINITY);
  const leaving = new Set(leastUsed(unchanged, heapBytesOfAll(live) - maxHeapBytes));
  const changed: WatchedVersion[] = [];
  const states: StoredState[] = [];
  for (const version of unchanged) {
    const leaves = leaving.has(version);
    const isDue = windowsNotStored(version) >= (leaves ? 1 : windowsPerCheckpoint);
    if (!leaves && !isDue) continue;
    const kept = isDue
      ? withCheckpoints(version, passed.get(versionKey(version)) ?? [])
      : { version, states: [] };
    changed.push(leaves ? { ...kept.version, live: null } : kept.version);
    states.push(...kept.states);
  }
  await store.insertStates(states);
  return { changed, stored: states.length };
}

function heapBytesOfAll(versions: readonly LiveVersion[]): number {
  return versions.reduce((total, { live }) => total + heapBytesOf(live), 0);
}

/** Returns the first versions whose folds together take at least so many bytes. */
function leastUsed(versions: readonly LiveVersion[], heapBytes: number): LiveVersion[] {
  let left = heapBytes;
  return versions.filter(({ live }) => {
    if (left <= 0) return false;
    left -= heapBytesOf(live);
    return true;
  });
}

function windowsNotStored({ live, ledger }: LiveVersion): number {
  const folded = live.fold.checkpoints.at(-1)?.ordinal ?? 0;
  return folded - (ledger.checkpoints.at(-1)?.ordinal ?? 0);
}

/** Returns the version with the newest states of its fold, and those passed, in its ledger. */
function withCheckpoints(
  version: LiveVersion,
  passed: readonly PackedCheckpoint[],
): { version: LiveVersion; states: StoredState[] } {
  const { model, version: name } = version;
  const newest = packCheckpoint(version.live.fold)!;
  const states: StoredState[] = [];
  let { ledger } = version;
  for (const { windowStartMs, ordinal, digest, text } of [...passed, newest]) {
    const slot = freeSlot(ledger);
    ledger = withCheckpoint(ledger, { windowStartMs, ordinal, slot, digest });
    states.push({ model, version: name, slot, text });
  }
  return { version: { ...version, ledger, ledgerChanged: true }, states };
}

import { serialize } from 'node:v8';
import { freeSlot, withCheckpoint } from '../checkpoints/foldLedger.ts';
import { packCheckpoint } from '../checkpoints/packedStates.ts';
import type { DetectorStore } from '../store/store.ts';
import type { LiveFold, WatchedVersion } from './watchedVersion.ts';

export interface FoldLimits {
  /** A fold that has gone so far since its last checkpoint gets another: it is what a restart may have to read again. */
  windowsPerCheckpoint: number;
  /** Of one version, judged before the next checkpoint. */
  windowsPerRun: number;
  /** What folds in memory may take. The rest of the process takes as much again, and needs room for garbage. */
  maxHeapBytes: number;
}

export const foldLimits: FoldLimits = {
  windowsPerCheckpoint: 64,
  windowsPerRun: 256,
  maxHeapBytes: 128 * 1024 * 1024,
};
const windowsPerMeasurement = 64;
/** A fold in memory, with the states of its last windows, takes so many times the bytes of its newest states: measured. */
const heapBytesPerStateByte = 8;

/**
 * Stores checkpoints of the folds that have gone far since the last one, and lets the least recently used leave memory when
 * all together take too much: stored where it stands, a fold costs a few ms to bring back.
 *
 * @param versions in memory, in the order of their last use
 * @returns the number of checkpoints that were stored
 */
export async function keepFolds(
  store: DetectorStore,
  versions: Iterable<WatchedVersion>,
  { windowsPerCheckpoint, maxHeapBytes }: FoldLimits,
): Promise<number> {
  const live = [...versions].filter(version => version.live !== null);
  for (const version of live) measure(version.live!);
  let heapBytes = live.reduce((total, { live }) => total + heapBytesOf(live!), 0);
  const leaving = live.filter(version => {
    // A fold that has to go back is not stored as it stands.
    if (heapBytes <= maxHeapBytes || version.changedFromMs < Number.POSITIVE_INFINITY) return false;
    heapBytes -= heapBytesOf(version.live!);
    return true;
  });
  const due = new Set(leaving.filter(version => windowsNotStored(version) > 0));
  for (const version of live) {
    const settled = version.changedFromMs === Number.POSITIVE_INFINITY;
    if (settled && windowsNotStored(version) >= windowsPerCheckpoint) due.add(version);
  }
  await storeCheckpoints(store, [...due]);
  for (const version of leaving) version.live = null;
  return due.size;
}

function heapBytesOf({ stateBytes }: LiveFold): number {
  return stateBytes * heapBytesPerStateByte;
}

/** States grow until the history is full: they are measured when they may have doubled, and when a checkpoint is due. */
function measure(live: LiveFold): void {
  const last = live.fold.checkpoints.at(-1);
  if (!last) return;
  const { measuredOrdinal } = live;
  if (last.ordinal < Math.min(2 * measuredOrdinal, measuredOrdinal + windowsPerMeasurement)) return;
  live.stateBytes = serialize(last.states).length;
  live.measuredOrdinal = last.ordinal;
}

function windowsNotStored({ live, ledger }: WatchedVersion): number {
  const folded = live!.fold.checkpoints.at(-1)?.ordinal ?? 0;
  return folded - (ledger.checkpoints.at(-1)?.ordinal ?? 0);
}

async function storeCheckpoints(
  store: DetectorStore,
  versions: readonly WatchedVersion[],
): Promise<void> {
  const states = versions.flatMap(version => {
    const { model, version: name } = version;
    const live = version.live!;
    const checkpoints = [...live.passed, packCheckpoint(live.fold.checkpoints.at(-1)!)];
    version.live = { ...live, passed: [] };
    return checkpoints.map(({ windowStartMs, ordinal, digest, text }) => {
      const slot = freeSlot(version.ledger);
      version.ledger = withCheckpoint(version.ledger, { windowStartMs, ordinal, slot, digest });
      version.ledgerChanged = true;
      return { model, version: name, slot, text };
    });
  });
  await store.insertStates(states);
}

import { featureProfileBytes } from '../../shared/profile/featureProfile.ts';
import { recordSampleBytes } from '../../shared/profile/recordSample.ts';
import { recentIdsBytes } from '../counting/recentIds.ts';
import { type VersionState, watermarkMs } from '../counting/versionState.ts';
import type { WindowState } from '../counting/windowState.ts';

/** Notes that a flush has stored all that a version has, and measures the memory of the version. */
export function settleVersion(state: VersionState, flush: number): void {
  for (const window of state.windows.values()) {
    if (window.changed) window.storedAtFlush = flush;
    window.changed = false;
  }
  state.changed = false;
  state.touchedWindows.clear();
  state.usedAtFlush = flush;
  state.bytes = recentIdsBytes(state.knownIds);
  for (const window of state.windows.values()) state.bytes += windowBytes(window);
}

/** Numbers of entries that left memory. */
export interface Evicted {
  windows: number;
  versions: number;
}

/**
 * Removes what is stored from memory until it takes at most `maxBytes`. Right after a flush that
 * may be everything, and what is needed again is read from ClickHouse. Closed windows go first,
 * those that changed the longest ago before the others, then whole versions in the same order.
 */
export function evictToBytes(
  partitions: readonly Map<string, VersionState>[],
  maxBytes: number,
): Evicted {
  const versions = partitions.flatMap(held =>
    [...held].map(([key, state]) => ({ held, key, state })),
  );
  const excess = versions.reduce((sum, { state }) => sum + state.bytes, 0) - maxBytes;
  if (excess <= 0) return { windows: 0, versions: 0 };
  const states = versions.map(({ state }) => state);
  const { windows, freed } = evictClosedWindows(states, excess);
  return { windows, versions: freed < excess ? evictVersions(versions, excess - freed) : 0 };
}

function evictClosedWindows(
  states: readonly VersionState[],
  excess: number,
): { windows: number; freed: number } {
  const closed = states.flatMap(state =>
    [...state.windows.values()]
      .filter(({ changed, endMs }) => !changed && endMs <= watermarkMs(state))
      .map(window => ({ state, window })),
  );
  closed.sort(
    (a, b) =>
      a.window.storedAtFlush - b.window.storedAtFlush || a.window.startMs - b.window.startMs,
  );
  let windows = 0;
  let freed = 0;
  for (const { state, window } of closed) {
    if (freed >= excess) break;
    const bytes = windowBytes(window);
    state.bytes -= bytes;
    state.windows.delete(window.startMs);
    freed += bytes;
    windows++;
  }
  return { windows, freed };
}

function evictVersions(
  versions: { held: Map<string, VersionState>; key: string; state: VersionState }[],
  excess: number,
): number {
  versions.sort((a, b) => a.state.usedAtFlush - b.state.usedAtFlush);
  let evicted = 0;
  let freed = 0;
  for (const { held, key, state } of versions) {
    if (freed >= excess) break;
    if (state.changed) continue;
    held.delete(key);
    freed += state.bytes;
    evicted++;
  }
  return evicted;
}

const windowOverheadBytes = 1_000;

function windowBytes(window: WindowState): number {
  let bytes = windowOverheadBytes + recordSampleBytes(window.sample);
  for (const { feature, output, operation } of window.segments.values()) {
    for (const profiles of [feature, output, operation])
      for (const profile of profiles.values()) bytes += featureProfileBytes(profile);
  }
  return bytes;
}

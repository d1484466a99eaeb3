import type { ModelSettings } from '../../shared/config/settings.ts';
import type { LoggedPrediction } from '../../shared/profile/features.ts';
import { windowStartMs } from '../../shared/timeWindow.ts';
import { versionKey } from '../../shared/versionKey.ts';
import type { PredictionRecord } from '../counting/profiler.ts';
import type { VersionState } from '../counting/versionState.ts';
import { profileCount } from '../counting/windowState.ts';
import type { ProfilerStore } from '../store/store.ts';
import { loadVersions } from './loadVersions.ts';
import { loadWindows, type WantedWindow } from './loadWindows.ts';
import { type Evicted, evictToBytes } from './versionMemory.ts';

/**
 * The model versions in memory, by source partition.
 *
 * Invariant: a version in memory is at its stored progress, or ahead of it by what the next flush
 * stores. What is absent is loaded before it is counted in.
 */
export class HeldVersions {
  readonly #store: ProfilerStore;
  readonly #settingsOf: (model: string) => ModelSettings;
  /** By partition, then by `versionKey`. */
  readonly #partitions = new Map<number, Map<string, VersionState>>();

  constructor(store: ProfilerStore, settingsOf: (model: string) => ModelSettings) {
    this.#store = store;
    this.#settingsOf = settingsOf;
  }

  /** Returns the version of each record, with all windows that the records may be counted in. */
  async versionsOf(
    partition: number,
    records: readonly PredictionRecord[],
  ): Promise<VersionState[]> {
    const held = this.#partitions.get(partition) ?? new Map<string, VersionState>();
    this.#partitions.set(partition, held);
    const keys = keysOf(records);
    const missing = new Map<string, LoggedPrediction>();
    for (const [index, key] of keys.entries())
      if (!held.has(key)) missing.set(key, records[index]!.prediction);
    const loaded = await loadVersions(
      this.#store,
      [...missing.values()],
      partition,
      this.#settingsOf,
    );
    for (const state of loaded) held.set(versionKey(state), state);
    const versions = keys.map(key => held.get(key)!);
    await loadWindows(this.#store, missingWindows(records, versions), partition);
    return versions;
  }

  *[Symbol.iterator](): Generator<[partition: number, version: VersionState]> {
    for (const [partition, held] of this.#partitions)
      for (const version of held.values()) yield [partition, version];
  }

  /** Brings memory back to its limit. Call it right after a flush, when all is stored. */
  evictToBytes(maxBytes: number): Evicted {
    return evictToBytes([...this.#partitions.values()], maxBytes);
  }

  clear(): void {
    this.#partitions.clear();
  }

  /** Returns the memory that the versions took at the last flush. */
  bytes(): number {
    let bytes = 0;
    for (const [, version] of this) bytes += version.bytes;
    return bytes;
  }

  /** Returns the number of entries by kind, for metrics. */
  sizes(): Record<string, number> {
    const sizes = { versions: 0, windows: 0, profiles: 0, deduplication_ids: 0 };
    for (const [, version] of this) {
      sizes.versions++;
      sizes.windows += version.windows.size;
      sizes.deduplication_ids += version.knownIds.size;
      for (const window of version.windows.values()) sizes.profiles += profileCount(window);
    }
    return sizes;
  }
}

/**
 * Returns the key of the version of each record. Neighbours are often of one version and share the
 * key, because a new text would have to be hashed again.
 */
function keysOf(records: readonly PredictionRecord[]): string[] {
  const keys: string[] = [];
  for (const [index, { prediction }] of records.entries()) {
    const before = index > 0 ? records[index - 1]!.prediction : null;
    const isSame =
      before !== null && before.model === prediction.model && before.version === prediction.version;
    keys.push(isSame ? keys[index - 1]! : versionKey(prediction));
  }
  return keys;
}

/**
 * Returns the windows that records may be counted in, that may be stored, and that are not in
 * memory.
 */
function missingWindows(
  records: readonly PredictionRecord[],
  versions: readonly VersionState[],
): WantedWindow[] {
  const missing = new Map<VersionState, Set<number>>();
  for (const [index, { prediction, offset }] of records.entries()) {
    const state = versions[index]!;
    const startMs = windowStartMs(prediction.time, state.settings.windowSizeMs);
    const mayBeStored =
      offset > state.lastOffset &&
      startMs <= state.highestWindowStartMs &&
      !state.windows.has(startMs);
    if (mayBeStored) missing.set(state, (missing.get(state) ?? new Set()).add(startMs));
  }
  return [...missing].flatMap(([state, starts]) =>
    Array.from(starts, startMs => ({ state, startMs })),
  );
}

import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { VersionState } from '../counting/versionState.ts';
import {
  newWindowState,
  restoreProfile,
  restoreSample,
  type WindowState,
} from '../counting/windowState.ts';
import type { ProfilerStore } from '../store/store.ts';

/** A window that a version in memory needs. */
export interface WantedWindow {
  state: VersionState;
  startMs: number;
}

/** Gives versions their windows as they are stored, or as new ones. */
export async function loadWindows(
  store: ProfilerStore,
  wanted: readonly WantedWindow[],
  partition: number,
): Promise<void> {
  const { profiles, samples } = await store.windows.select(
    wanted.map(({ state: { model, version }, startMs }) => ({ model, version, startMs })),
    partition,
  );
  const versions = new Map<string, VersionState>();
  for (const { state, startMs } of wanted) {
    versions.set(versionKey(state), state);
    state.windows.set(startMs, newWindowState(startMs, state.settings.windowSizeMs));
  }
  /** A stored window of another size, from before a change of the settings, is not continued. */
  const windowOf = (
    row: VersionName & { startMs: number; endMs: number },
  ): WindowState | undefined => {
    const window = versions.get(versionKey(row))!.windows.get(row.startMs)!;
    return window.endMs === row.endMs ? window : undefined;
  };
  for (const row of profiles) {
    const window = windowOf(row);
    if (window) restoreProfile(window, row);
  }
  for (const row of samples) {
    const window = windowOf(row);
    if (window) restoreSample(window, row);
  }
}

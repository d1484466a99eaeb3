import type { ModelSettings } from '../../shared/config/settings.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { rememberCountedId } from '../counting/deduplication.ts';
import { newVersionState, restoreProgress, type VersionState } from '../counting/versionState.ts';
import type { ProfilerStore } from '../store/store.ts';

/**
 * Returns the state of versions at the offset of their stored progress, or a new one for a version
 * that has none. Windows are not loaded.
 */
export async function loadVersions(
  store: ProfilerStore,
  names: readonly VersionName[],
  partition: number,
  settingsOf: (model: string) => ModelSettings,
): Promise<VersionState[]> {
  const states = names.map(({ model, version }) =>
    newVersionState(model, version, settingsOf(model)),
  );
  const byKey = new Map(states.map(state => [versionKey(state), state]));
  const stateOf = (name: VersionName) => byKey.get(versionKey(name))!;

  const highest = await store.windows.selectHighestStarts(names, partition);
  for (const window of highest) stateOf(window).highestWindowStartMs = window.startMs;
  const stored = await store.progress.select(names, partition);
  for (const progress of stored) restoreProgress(stateOf(progress), progress);
  await store.predictions.eachCounted(stored, partition, prediction => {
    rememberCountedId(stateOf(prediction), prediction.id, prediction.timeMs);
  });
  return states;
}

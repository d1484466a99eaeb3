import type { ModelSettings } from '../../shared/config/settings.ts';
import {
  emptyRecentIds,
  forgetOldestSlices,
  forgetOldestWindow,
  type RecentIds,
  rememberId,
} from './recentIds.ts';
import type { Tally } from './tally.ts';

/** The ids that a version has counted, as far as it remembers them. */
export interface CountedIds {
  settings: ModelSettings;
  knownIds: RecentIds;
  /** Ids of earlier event times are forgotten. */
  deduplicatedFromMs: number;
}

/** Number of ids that are always kept, even those behind the deduplication horizon. */
export const minKnownIds = 100_000;
/** Maximum ids, whatever the deduplication horizon says. */
export const maxKnownIds = 1_000_000;
/**
 * Number of ids that are left when there were too many. It is well below the limit, because
 * forgetting looks at all ids and must not come with every record.
 */
const knownIdsAfterOverflow = 900_000;

/** Returns an empty set of ids for a version with these settings. */
export function noCountedIds(settings: ModelSettings): RecentIds {
  return emptyRecentIds(settings.windowSizeMs / idSliceMs(settings));
}

/** Returns true if an id was counted before. If not, remembers it, unless its time is too old. */
export function isCountedBefore(
  counted: CountedIds,
  id: string,
  timeMs: number,
  idHash: number,
): boolean {
  return timeMs >= counted.deduplicatedFromMs && !rememberCountedId(counted, id, timeMs, idHash);
}

/**
 * Remembers an id that was counted.
 * @param idHash `fnv1a` of the id, if it is known already
 * @returns false if the id was remembered before
 */
export function rememberCountedId(
  { knownIds, settings }: CountedIds,
  id: string,
  timeMs: number,
  idHash?: number,
): boolean {
  return rememberId(knownIds, id, Math.floor(timeMs / idSliceMs(settings)), idHash);
}

/**
 * Forgets the oldest ids. Ids within the deduplication horizon are kept unless there are more than
 * `maxKnownIds`; ids behind it are kept while there are no more than `minKnownIds`. What is
 * forgotten depends only on the records up to here.
 */
export function forgetOldIds(counted: CountedIds, watermarkMs: number, tally: Tally): void {
  const { knownIds, settings } = counted;
  while (knownIds.size > minKnownIds) {
    const early =
      (knownIds.oldestWindow + 1) * settings.windowSizeMs > watermarkMs - settings.deduplicationMs;
    if (early && knownIds.size <= maxKnownIds) return;
    if (early) tally.idsForgottenEarly += forgetOldestSlices(knownIds, knownIdsAfterOverflow);
    else forgetOldestWindow(knownIds);
    counted.deduplicatedFromMs = knownIds.fromSlice * idSliceMs(settings);
  }
}

/**
 * Event time in which ids are forgotten together if there are too many, in ms. A window is a whole
 * number of such slices, and the number of a slice since the epoch fits in 32 bits.
 */
function idSliceMs({ windowSizeMs }: ModelSettings): number {
  return windowSizeMs % 1000 === 0 ? 1000 : windowSizeMs;
}

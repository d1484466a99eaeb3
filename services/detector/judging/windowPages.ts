import { versionKey } from '../../shared/versionKey.ts';
import type { PerVersion } from '../store/perVersion.ts';
import type { WindowRange } from '../store/windowRange.ts';
import type { WindowStart } from '../store/windowTables.ts';

/** Ranges of windows that are read together, at most one per version. */
export type WindowPage = WindowRange[];

/** Profiles that are read at once: some 50 MB. */
const profilesPerPage = 10_000;

/**
 * Splits ranges into pages of about `profilesPerPage` profiles. A page may hold windows of many
 * versions, and a version may be on many pages.
 * @param starts of the windows that the ranges hold
 */
export function* windowPages(
  ranges: readonly WindowRange[],
  starts: PerVersion<readonly WindowStart[]>,
): Generator<WindowPage> {
  let page: WindowPage = [];
  let pageProfiles = 0;
  for (const range of ranges) {
    let onPage: WindowRange | null = null;
    for (const { startMs, profiles } of starts.get(versionKey(range)) ?? []) {
      if (!onPage) {
        onPage = { ...range, fromMs: startMs };
        page.push(onPage);
      }
      onPage.toMs = startMs;
      pageProfiles += profiles;
      if (pageProfiles < profilesPerPage) continue;
      yield page;
      page = [];
      pageProfiles = 0;
      onPage = null;
    }
  }
  if (page.length > 0) yield page;
}

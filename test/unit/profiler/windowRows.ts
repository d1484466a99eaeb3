import type { ProfileKind } from '../../../services/profiler/counting/segmentProfiles.ts';
import {
  countWaitingRecords,
  type WindowState,
} from '../../../services/profiler/counting/windowState.ts';
import { type ProfileRow, toProfileRow } from '../../../services/shared/profile/profileRow.ts';
import type { VersionName } from '../../../services/shared/versionKey.ts';

export type WindowRow = ProfileRow &
  VersionName & {
    segment: string;
    window_start: number;
    kind: ProfileKind;
    feature: string;
    last_offset: number;
  };

/** Returns the rows that window_profiles holds of a window, as ClickHouse would return them. */
export function windowRows({ model, version }: VersionName, window: WindowState): WindowRow[] {
  const rows: WindowRow[] = [];
  countWaitingRecords(window);
  for (const [segment, profiles] of window.segments) {
    for (const kind of ['feature', 'output', 'operation'] as const) {
      for (const [feature, profile] of profiles[kind]) {
        const { startMs: window_start, lastOffset: last_offset } = window;
        rows.push({
          model,
          version,
          segment,
          window_start,
          kind,
          feature,
          last_offset,
          ...toProfileRow(profile),
        });
      }
    }
  }
  return rows;
}

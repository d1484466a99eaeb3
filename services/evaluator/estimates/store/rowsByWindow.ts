import { type VersionName, versionKey } from '../../../shared/versionKey.ts';

/** Names a window of a version. */
export interface WindowName extends VersionName {
  startMs: number;
}

/** A map's key for a window of a version. */
export function windowKey(version: VersionName, startMs: number): string {
  return `${versionKey(version)} ${startMs}`;
}

/** Groups rows by their window, in the order in which the windows first occur. */
export function rowsByWindow<Row extends VersionName & { start_ms: number }>(
  rows: readonly Row[],
): { window: WindowName; rows: Row[] }[] {
  const byWindow = Map.groupBy(rows, row => windowKey(row, row.start_ms));
  return [...byWindow.values()].map(ofWindow => {
    const { model, version, start_ms: startMs } = ofWindow[0]!;
    return { window: { model, version, startMs }, rows: ofWindow };
  });
}

import type { TimeWindow } from '../../shared/timeWindow.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';

/** Windows of one model version. */
export interface VersionWindows extends VersionName {
  startsMs: Set<number>;
}

/** Windows of one model version that hold predictions from one partition of the topic. */
export interface PartitionWindows extends VersionWindows {
  sourcePartition: number;
}

/** Adds windows to those of their version. */
export function addWindows(
  windows: Map<string, VersionWindows>,
  { model, version }: VersionName,
  startsMs: Iterable<number>,
): void {
  const key = versionKey({ model, version });
  const known = windows.get(key);
  if (!known) windows.set(key, { model, version, startsMs: new Set(startsMs) });
  else for (const startMs of startsMs) known.startsMs.add(startMs);
}

/**
 * Splits windows into portions of at most `maxWindows`, so that a query is bounded whatever has
 * changed. Windows that follow each other stay together.
 */
export function* portionsOfWindows<Windows extends VersionWindows>(
  versions: Iterable<Windows>,
  maxWindows: number,
): Generator<Windows[]> {
  let portion: Windows[] = [];
  let room = maxWindows;
  for (const windows of versions) {
    const sorted = [...windows.startsMs].sort((a, b) => a - b);
    for (let from = 0; from < sorted.length; ) {
      const taken = sorted.slice(from, from + room);
      portion.push({ ...windows, startsMs: new Set(taken) });
      from += taken.length;
      room -= taken.length;
      if (room > 0) continue;
      yield portion;
      portion = [];
      room = maxWindows;
    }
  }
  if (portion.length > 0) yield portion;
}

/**
 * Joins windows that follow each other into intervals.
 *
 * @example
 * joinedWindows([0, 10, 30], 10) // [{ startMs: 0, endMs: 20 }, { startMs: 30, endMs: 40 }]
 */
export function joinedWindows(startsMs: Iterable<number>, windowSizeMs: number): TimeWindow[] {
  const joined: TimeWindow[] = [];
  for (const startMs of [...startsMs].sort((a, b) => a - b)) {
    const last = joined.at(-1);
    if (last?.endMs === startMs) last.endMs += windowSizeMs;
    else joined.push({ startMs, endMs: startMs + windowSizeMs });
  }
  return joined;
}

/** A half-open event-time interval `[startMs, endMs)`, aligned to the epoch. */
export interface TimeWindow {
  startMs: number;
  endMs: number;
}

/**
 * Returns the start of the window that holds an event time. Windows are aligned to the epoch, also
 * before 1970.
 * @example windowStartMs(3_700_000, 3_600_000) // 3_600_000
 */
export function windowStartMs(timeMs: number, windowSizeMs: number): number {
  return Math.floor(timeMs / windowSizeMs) * windowSizeMs;
}

import { setTimeout as pause } from 'node:timers/promises';

export interface EventuallyOptions {
  timeoutMs?: number;
  /** Pause between two attempts. */
  intervalMs?: number;
}

/**
 * Polls a condition until it holds. Use it only for something that gives no signal to wait for,
 * such as a row in a table.
 * @param awaited the awaited condition for the message of a failure, such as "a row of
 *   drift_metrics"
 * @param look returns what it found, or a falsy value if it is not there yet
 * @returns what was found
 * @throws if it is not there in time
 * @example await eventually('a retry', () => retries > 0)
 */
export async function eventually<Found>(
  awaited: string,
  look: () => Found | Promise<Found>,
  { timeoutMs = 60_000, intervalMs = 50 }: EventuallyOptions = {},
): Promise<NonNullable<Found>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadlineMs)
      throw new Error(`waited ${timeoutMs / 1000} s in vain for ${awaited}`);
    await pause(intervalMs);
  }
}

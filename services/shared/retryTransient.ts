import { setTimeout as pause } from 'node:timers/promises';

const firstPauseMs = 100;
const maxPauseMs = 10_000;

/**
 * Repeats an operation for as long as its errors are transient, with pauses that double up to ten
 * seconds. The pauses have jitter, so that many services do not return at once to a server that was
 * away.
 * @param onRetry called after each failure, before the pause; attempts are counted from 1
 * @param onRetried called once when an operation that was repeated has ended, with or without
 * success
 * @param signal ends the waiting; the reason of the signal is thrown then
 */
export async function retryTransient<T>(
  operation: () => Promise<T>,
  isTransient: (error: unknown) => boolean,
  onRetry?: (error: unknown, attempt: number) => void,
  onRetried?: () => void,
  signal?: AbortSignal,
): Promise<T> {
  let attempt = 0;
  try {
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        signal?.throwIfAborted();
        if (!isTransient(error)) throw error;
        attempt++;
        onRetry?.(error, attempt);
        const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** (attempt - 1));
        await pause(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(cause => {
          signal?.throwIfAborted();
          throw cause;
        });
      }
    }
  } finally {
    if (attempt > 0) onRetried?.();
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Runs a long computation to its end and lets the event loop take a turn at each `yield`, so that
 * heartbeats and health checks go on meanwhile.
 */
export async function runInTurns<Result>(steps: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTurn();
  }
}

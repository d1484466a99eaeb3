import { constants } from 'node:os';
import { killChildProcesses } from '../../infra/local/processes/childProcess.ts';
import { UserError } from '../../services/shared/userError.ts';

/** Error of a command that a person has stopped. */
export class Interrupted extends UserError {
  /** As a shell reports it: 128 and the number of the signal. */
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** npm passes a signal on to its child that the terminal has sent to that child already. */
const sameSignalMs = 500;

/**
 * Returns a signal that the first Ctrl-C (or SIGTERM) aborts, so that a command can clean up. The
 * second one kills all child processes and exits.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let interruptedAtMs = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const reason = new Interrupted(name);
      if (!controller.signal.aborted) {
        interruptedAtMs = Date.now();
        controller.abort(reason);
      } else if (Date.now() - interruptedAtMs > sameSignalMs) {
        killChildProcesses();
        process.exit(reason.exitCode);
      }
    });
  }
  return controller.signal;
}

/** Returns a promise that rejects with the reason of a signal when it is aborted. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

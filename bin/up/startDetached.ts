import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type LoopRecord, readLoopRecord } from '../../infra/local/loop/loopRecord.ts';
import { logTail } from '../../infra/local/processes/untilReady.ts';
import { UserError } from '../../services/shared/userError.ts';
import type { Progress } from '../terminal/progress.ts';
import { logFileOf, type UpOptions } from './upOptions.ts';

const program = join(import.meta.dirname, '..', 'driftloop.ts');
const pollIntervalMs = 100;

/**
 * Runs `driftloop up` as a process that does not end with this one, and waits until everything is
 * up.
 * @param options with an absolute folder
 * @throws UserError with what the process said if it ends before
 */
export async function startDetached(
  { dir, config, empty }: UpOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<LoopRecord> {
  const logFile = logFileOf(dir);
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const args = [
    'up',
    ...['--dir', dir],
    ...(config === undefined ? [] : ['--config', config]),
    ...(empty ? ['--empty'] : []),
  ];
  const child = spawn(process.execPath, [program, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  progress.step(`starting servers and services (log: ${logFile})`);
  for (;;) {
    const record = readLoopRecord(dir);
    if (record?.variables && record.starter.pid === child.pid) return record;
    if (child.exitCode !== null || child.signalCode !== null) {
      signal.throwIfAborted();
      throw new UserError(`it could not start:\n${logTail(logFile).trimEnd()}`);
    }
    await pause(pollIntervalMs);
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import {
  isStarterRunning,
  type LoopRecord,
  readLoopRecord,
  removeLoopRecord,
  runningProcesses,
} from '../../infra/local/loop/loopRecord.ts';
import { UserError } from '../../services/shared/userError.ts';

/** Services and then servers have 15 s each to stop in order. */
const cleanStopMs = 60_000;
/** After their starter is gone, parts that do not stop are killed within 15 s. */
const killMs = 30_000;
const pollIntervalMs = 100;

export type StopResult =
  | { outcome: 'stopped'; record: LoopRecord }
  /** The machine or the starter had crashed; only the record was left. */
  | { outcome: 'had been cut off'; record: LoopRecord }
  | { outcome: 'nothing runs' };

/**
 * Stops what runs on a data folder. Resolves when no process is left.
 * @throws UserError if a process cannot be stopped
 */
export async function stopLoop(dir: string): Promise<StopResult> {
  const record = readLoopRecord(dir);
  if (record === null) return { outcome: 'nothing runs' };
  const isRunning = isStarterRunning(record);
  if (isRunning) {
    signalStarter(record, 'SIGTERM');
    if (!(await haveEnded(record, cleanStopMs)) && isStarterRunning(record))
      signalStarter(record, 'SIGKILL');
  }
  await untilEnded(record);
  removeLoopRecord(dir);
  return { outcome: isRunning ? 'stopped' : 'had been cut off', record };
}

/** Waits for parts whose starter is gone: they end by themselves. @throws UserError if one stays */
export async function untilEnded(record: LoopRecord): Promise<void> {
  if (await haveEnded(record, killMs)) return;
  const pids = runningProcesses(record).map(({ pid }) => pid);
  throw new UserError(
    `these processes do not end: ${pids.join(', ')}; look at them, then kill -9 ${pids.join(' ')}`,
  );
}

/** Waits until no process of the record is left. @returns false if that takes longer */
async function haveEnded(record: LoopRecord, maxMs: number): Promise<boolean> {
  const deadlineMs = Date.now() + maxMs;
  while (runningProcesses(record).length > 0) {
    if (Date.now() > deadlineMs) return false;
    await pause(pollIntervalMs);
  }
  return true;
}

function signalStarter({ starter }: LoopRecord, signal: NodeJS.Signals): void {
  try {
    process.kill(starter.pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM')
      throw new UserError(
        `process ${starter.pid} belongs to another user, who has to stop it with "driftloop down"`,
        { cause: error },
      );
    // It has ended in this moment.
    if (code !== 'ESRCH') throw error;
  }
}

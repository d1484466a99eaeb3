import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../../../services/shared/userError.ts';
import type { ChildProcess } from './childProcess.ts';

const pollIntervalMs = 25;
/**
 * Three seconds are usual, but a busy machine needs many times that. A process that ends before is
 * noticed at once.
 */
const startTimeoutMs = 180_000;
const logTailBytes = 16_384;

/**
 * Waits until a process is ready.
 * @param isReady asks the process; false and an error both mean that it is not ready yet
 * @throws UserError of one line, with the error in its log, if it ends or takes too long
 */
export async function untilReady(
  child: ChildProcess,
  isReady: () => Promise<boolean>,
): Promise<void> {
  let ended: string | undefined;
  child.exited.then(how => {
    ended = how;
  });
  const deadlineMs = Date.now() + startTimeoutMs;
  while (!(await isReady().catch(() => false))) {
    if (ended !== undefined) throw new UserError(startFailure(child, ended));
    if (Date.now() > deadlineMs)
      throw new UserError(startFailure(child, `did not answer within ${startTimeoutMs / 1000} s`));
    await pause(pollIntervalMs);
  }
}

/** Returns true if the URL answers with status 200. @throws if it does not answer */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.status === 200;
}

function startFailure(child: ChildProcess, how: string): string {
  const tail = logTail(child.logFile);
  if (/No space left on device|ENOSPC/.test(tail))
    return `${child.name} ${how}: the disk is full (${child.logFile})`;
  return `${child.name} ${how}: ${tellingLine(tail) ?? 'it printed nothing'} (log: ${child.logFile})`;
}

/** Returns the last line of a log that speaks of an error, or else its last line. */
export function tellingLine(log: string): string | undefined {
  const lines = log
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('at '));
  return (
    lines.findLast(line => /error|exception|fatal|cannot|could not/i.test(line)) ?? lines.at(-1)
  );
}

/** Reads the end of a log file, at most 16 KB. */
export function logTail(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const size = fstatSync(descriptor).size;
    const buffer = Buffer.alloc(Math.min(size, logTailBytes));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8');
  } finally {
    closeSync(descriptor);
  }
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../../../services/shared/userError.ts';
import type { ChildProcess } from './childProcess.ts';

const pollIntervalMs = 25;
/** Three seconds are usual; a machine that is busy with other things needs many times that. A process that ends is not waited for. */
const startTimeoutMs = 180_000;
const logTailBytes = 16_384;

/**
 * Waits until a process answers.
 * @param isReady asks it; false or an error mean: not yet
 * @throws UserError of one line, with what its log says, when it ends or does not get ready in time
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

/** True when the URL answers with 200. */
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

/** The last line that speaks of an error, else the last line. */
export function tellingLine(log: string): string | undefined {
  const lines = log
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('at '));
  return (
    lines.findLast(line => /error|exception|fatal|cannot|could not/i.test(line)) ?? lines.at(-1)
  );
}

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

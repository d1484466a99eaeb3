import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';

/** Distinguishes the processes that a test started, directly or indirectly, from all others. */
export interface MarkedProcesses {
  /** Environment variables for a process. The processes that it starts inherit them. */
  variables: Record<string, string>;
  /** Lists the marked processes that are running. */
  list(): { pid: number; command: string }[];
  expectNone(): Promise<void>;
}

export function markedProcesses(): MarkedProcesses {
  const name = 'DRIFTLOOP_TEST_MARK';
  const value = randomUUID();
  const list = () => {
    const listed = execFileSync('ps', ['axeww', '-o', 'pid=,args='], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 ** 2,
    });
    return listed
      .split('\n')
      .filter(line => line.includes(`${name}=${value}`))
      .map(line => ({ pid: Number.parseInt(line, 10), command: line.trim().slice(0, 200) }));
  };
  return {
    variables: { [name]: value },
    list,
    // A watchdog ends a moment after the process that it watched. Processes whose starter was
    // killed have 15 s to stop.
    expectNone: () =>
      expect.poll(() => list().map(({ command }) => command), { timeout: 20_000 }).toEqual([]),
  };
}

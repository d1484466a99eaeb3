import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Returns the command line of a process with its arguments, or null if no such process runs.
 * With it a process can be told from a later one that has got the same id.
 */
export function commandOf(pid: number): string | null {
  if (process.platform === 'linux') {
    try {
      // A zombie has an empty command line: it has ended, but its parent has not asked how.
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || null;
    } catch {
      return null;
    }
  }
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
    encoding: 'utf8',
  });
  return stdout?.trim() || null;
}

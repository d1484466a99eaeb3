import { readFileSync } from 'node:fs';

/** USER_HZ of Linux, on every platform that Node runs on; see proc(5). */
const ticksPerSecond = 100;

/** Returns the user and system time of a process with its threads, in ms. Linux only. */
export function processCpuMs(pid: number): number {
  const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may contain spaces. utime and stime are the 12th and 13th field after
  // it.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Returns the highest resident memory of a process so far, in MB. Linux only. */
export function peakMemoryMegabytes(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!;
  return Number(kilobytes) / 1024;
}

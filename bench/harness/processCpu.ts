import { readFileSync } from 'node:fs';

/** Of Linux on every platform that Node runs on (USER_HZ, proc(5)). */
const ticksPerSecond = 100;

/** CPU time that a process and its threads have used, user and system, in ms. Linux only. */
export function processCpuMs(pid: number): number {
  const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th field behind it.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Highest resident memory of a process so far, in MB. Linux only. */
export function peakMemoryMegabytes(pid: number): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!;
  return Number(kilobytes) / 1024;
}

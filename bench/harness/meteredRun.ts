import { join } from 'node:path';
import { startChildProcess } from '../../infra/local/processes/childProcess.ts';
import { type MeterReading, parseReading } from './meter.ts';

export interface MeteredRunOptions {
  /** File in bench/processes. */
  script: string;
  args: string[];
  variables: Record<string, string>;
  logDir: string;
  /** The process is stopped when it has processed this number of records. */
  records: number;
  /** Called with each reading, such as for the CPU time of a server. */
  alongside?: () => number;
}

export type Reading = MeterReading & { alongside: number };

/**
 * Runs a process until it has processed all records.
 * @returns its readings, of which the last one is from the end
 * @throws if the process ends before
 */
export async function meteredRun(options: MeteredRunOptions): Promise<Reading[]> {
  const { script, args, variables, logDir, records, alongside = () => 0 } = options;
  const readings: Reading[] = [];
  let lastLine = '';
  const all = Promise.withResolvers<void>();
  const child = startChildProcess({
    name: script,
    command: process.execPath,
    args: [join(import.meta.dirname, '..', 'processes', script), ...args],
    env: variables,
    logFile: join(logDir, `${script}.log`),
    onLine: line => {
      const reading = parseReading(line);
      if (!reading) {
        lastLine = line;
        return;
      }
      readings.push({ ...reading, alongside: alongside() });
      if (reading.records >= records) all.resolve();
    },
  });
  void child.exited.then(how =>
    all.reject(new Error(`${script} ${how} (log: ${child.logFile}): ${lastLine}`)),
  );
  try {
    await all.promise;
    return readings;
  } finally {
    await child.stop();
  }
}

export interface Cost {
  records: number;
  cpuMs: number;
  alongside: number;
  peakRssBytes: number;
}

/**
 * Returns what was used between the first reading after the warm-up and the last one. So start and
 * compilation are left out.
 */
export function costAfterWarmUp(readings: readonly Reading[], warmUpRecords: number): Cost {
  const first = readings.find(({ records }) => records >= warmUpRecords);
  const last = readings.at(-1);
  if (!first || !last || first === last)
    throw new Error('all records were processed before the first reading: use more records');
  return {
    records: last.records - first.records,
    cpuMs: last.cpuMs - first.cpuMs,
    alongside: last.alongside - first.alongside,
    peakRssBytes: last.peakRssBytes,
  };
}

export function eventsPerCpuSecond({ records, cpuMs }: Cost): number {
  return (records * 1_000) / cpuMs;
}

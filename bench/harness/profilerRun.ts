import type { BenchInstallation } from './benchInstallation.ts';
import { meteredRun, type Reading } from './meteredRun.ts';

export interface ProfilerRunOptions {
  /** Keep the raw rows, as the service does, or leave them out. */
  rawRows: boolean;
  records: number;
  /** Read together with each reading. */
  alongside?: () => number;
  /** Called when the empty database is there. */
  atStart?: () => void;
  /** Told the variables that name the database while it is still there, when all is processed. */
  atEnd?: (variables: Record<string, string>) => Promise<void>;
}

/** Lets a new profiler work off all that is in predictions, into an empty database that is dropped at the end. */
export async function profilerRun(
  installation: BenchInstallation,
  options: ProfilerRunOptions,
): Promise<Reading[]> {
  const variables = await installation.newDatabase();
  options.atStart?.();
  const readings = await meteredRun({
    script: 'meteredProfiler.ts',
    args: options.rawRows ? [] : ['windows-only'],
    variables,
    logDir: installation.folder,
    records: options.records,
    alongside: options.alongside,
  });
  await options.atEnd?.(variables);
  await installation.forgetOffsets('profiler');
  await installation.dropDatabase(variables);
  return readings;
}

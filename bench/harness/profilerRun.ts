import type { BenchInstallation } from './benchInstallation.ts';
import { meteredRun, type Reading } from './meteredRun.ts';

export interface ProfilerRunOptions {
  /** Store the raw rows as the service does, or leave them out. */
  rawRows: boolean;
  records: number;
  /** Called with each reading. */
  alongside?: () => number;
  /** Called when the empty database has been made. */
  atStart?: () => void;
  /**
   * Called when all is processed, with the variables that name the database, which still exists.
   */
  atEnd?: (variables: Record<string, string>) => Promise<void>;
}

/**
 * Runs a new profiler over all that the topic of predictions holds, into an empty database that is
 * dropped at the end.
 */
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

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunOfModel } from './runOfModel.ts';

/**
 * Begins the log of a run, in which is kept what its trainings print, also when they fail. That of
 * an attempt that was cut off is replaced.
 * @returns the path of the file
 */
export async function startLog({ modelFolder, runId }: RunOfModel): Promise<string> {
  const logs = join(modelFolder, 'logs');
  await mkdir(logs, { recursive: true });
  const file = join(logs, `${runId}.log`);
  await writeFile(file, '');
  return file;
}

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isBucket, type RunOfModel } from './runOfModel.ts';

const logPath = (runId: string) => `logs/${runId}.log`;

/**
 * Keeps what the trainings of a run print, also when they fail: as `logs/<run>.log` beside the
 * versions. The log of an attempt that was cut off is replaced.
 * @param work is given the file of this machine to write to
 */
export async function withTrainingLog<T>(
  { artifacts, modelFolder, runId }: RunOfModel,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const file = join(modelFolder, logPath(runId));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, '');
  const result = await work(file);
  if (isBucket(artifacts)) {
    await artifacts.putFile(logPath(runId), file);
    await rm(file);
  }
  return result;
}

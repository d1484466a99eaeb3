import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunOfModel } from './runOfModel.ts';

/** What the folders of attempts are told apart by. */
type RunOfFolder = Pick<RunOfModel, 'modelFolder' | 'runId'>;

const runsFolder = (modelFolder: string) => join(modelFolder, 'runs');

/**
 * Removes the folders of earlier attempts at a run, whose processes were killed or have lost the
 * run.
 */
export async function removeAttempts({ modelFolder, runId }: RunOfFolder): Promise<void> {
  const runs = runsFolder(modelFolder);
  for (const name of await namesIn(runs))
    if (name.startsWith(`${runId}-`)) await rm(join(runs, name), { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Gives an attempt at a run a folder of its own, which is removed at the end. Folders of earlier
 * attempts are removed at the start, so an attempt whose folder is gone knows that another process
 * has begun the run anew. Where the artifacts are in a bucket, processes on different machines do not
 * see that of each other. The failure of one is then recorded until the other one ends.
 * @param hasFailed says whether the result of the work is a failure
 * @returns the result of the work, or null if it failed or threw after its folder had been removed:
 * the run is in the hands of another process then, and the failure says nothing about it
 */
export async function withAttemptFolder<T>(
  { modelFolder, runId }: RunOfFolder,
  work: (folder: string) => Promise<T>,
  hasFailed: (result: T) => boolean,
): Promise<T | null> {
  const runs = runsFolder(modelFolder);
  await mkdir(runs, { recursive: true });
  await removeAttempts({ modelFolder, runId });
  const folder = await mkdtemp(join(runs, `${runId}-`));
  try {
    const result = await work(folder);
    return hasFailed(result) && (await isGone(folder)) ? null : result;
  } catch (error) {
    if (await isGone(folder)) return null;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isGone(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

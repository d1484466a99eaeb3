import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The cause is in the hands of another process, which has removed this attempt and says how the run ends. */
export class TakenOver extends Error {
  override name = 'TakenOver';
}

export interface RunOfModel {
  modelFolder: string;
  runId: string;
}

const runsFolder = (modelFolder: string) => join(modelFolder, 'runs');

/** Removes the folders of attempts at a run whose processes were killed, or which nobody waits for any more. */
export async function removeAttempts({ modelFolder, runId }: RunOfModel): Promise<void> {
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
 * Gives work on a run a folder of its own, which is gone afterwards, as are those of earlier attempts whose process was killed.
 * @throws TakenOver when another process has begun the run anew: the folder was removed while it was in use
 */
export async function withAttemptFolder<T>(
  { modelFolder, runId }: RunOfModel,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const runs = runsFolder(modelFolder);
  await mkdir(runs, { recursive: true });
  await removeAttempts({ modelFolder, runId });
  const folder = await mkdtemp(join(runs, `${runId}-`));
  try {
    return await work(folder);
  } catch (error) {
    if (await isGone(folder))
      throw new TakenOver(`run ${runId} was begun anew elsewhere`, { cause: error });
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

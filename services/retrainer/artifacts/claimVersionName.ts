import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../shared/model/modelArtifact.ts';
import type { RunOfModel } from './attemptFolder.ts';
import { safeName } from './modelFolder.ts';
import { nextVersionName } from './versionName.ts';

/**
 * Gives a run the next free version name, for ever. Replicas of the retrainer train for one model
 * at the same time if it has several causes. A file per name, which only one of them can create,
 * keeps their versions apart. The name of a run that fails later stays unused.
 * @param taken names that predictions or other runs have
 */
export async function claimVersionName(
  champion: string,
  taken: ReadonlySet<string>,
  { modelFolder, runId }: RunOfModel,
): Promise<string> {
  const names = join(modelFolder, 'names');
  await mkdir(names, { recursive: true });
  const unavailable = new Set(taken);
  for (;;) {
    const name = nextVersionName(champion, unavailable);
    if (await claim(join(names, safeName(name)), runId)) {
      await syncFolder(names);
      return name;
    }
    unavailable.add(name);
  }
}

/** @returns true if the name belongs to this run, now or since an earlier attempt */
async function claim(file: string, runId: string): Promise<boolean> {
  try {
    await writeFile(file, runId, { flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readFile(file, 'utf8')) === runId;
  }
}

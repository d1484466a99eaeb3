import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../../services/shared/userError.ts';
import { untilUnowned } from '../processes/dataFolderOwner.ts';

const minFreeBytes = 500 * 1024 ** 2;

export interface DataFolderOptions {
  dir: string;
  /** Name of a file that shows who made the folder. */
  marker: string;
  /** Removes what earlier runs have left there. */
  empty: boolean;
}

/**
 * Makes the folder for the data of a loop ready.
 * @throws UserError if servers use the folder, it holds files of others, or its disk is full
 */
export async function prepareDataFolder({ dir, marker, empty }: DataFolderOptions): Promise<void> {
  await mkdir(dir, { recursive: true });
  const found = await readdir(dir);
  if (found.length > 0 && !existsSync(join(dir, marker))) {
    throw new UserError(
      `${dir} holds files that no earlier run has made: choose another folder with --dir`,
    );
  }
  for (const part of ['kafka', 'registry', 'clickhouse']) await untilUnowned(part, join(dir, part));
  // The marker is written first and never removed, so that a run that is cut off can be repeated.
  await writeFile(join(dir, marker), '');
  if (empty) {
    for (const name of await readdir(dir))
      if (name !== marker) await rm(join(dir, name), { recursive: true, force: true });
  }
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < minFreeBytes) {
    throw new UserError(
      `the disk of ${dir} has ${Math.round((bavail * bsize) / 1024 ** 2)} MB left, and ${minFreeBytes / 1024 ** 2} MB are needed: make space`,
    );
  }
}

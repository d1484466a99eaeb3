import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../userError.ts';
import type { RepeatRequest } from './artifactStore.ts';
import { fileArtifactStore } from './fileArtifactStore.ts';
import { filesMistake, hashFiles, readFileList } from './folderChecksum.ts';
import { localFolder, locateArtifact } from './openArtifactStore.ts';

/**
 * Says in one sentence why the folder of an artifact is not the one with the checksum, or returns
 * null if it is. Reads every file.
 */
export async function artifactDifference(
  uri: string,
  checksum: string,
  repeat?: RepeatRequest,
): Promise<string | null> {
  const artifact = locateArtifact(uri, repeat);
  const read = () => hashFiles(artifact);
  // A connection may be cut while a file is read.
  const files = await (repeat?.(read) ?? read());
  return filesMistake(uri, files, await readFileList(artifact), checksum);
}

/**
 * Gives a folder of this machine with the files of an artifact. What lies in a bucket is copied for
 * as long as the work takes.
 * @param checksum of the folder; without it, the files are not checked
 * @throws UserError if the files are not those of the checksum
 */
export async function withArtifactFolder<T>(
  uri: string,
  checksum: string | undefined,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = localFolder(uri);
  if (folder !== null) {
    await checkFolder(uri, folder, checksum);
    return work(folder);
  }
  const copy = await mkdtemp(join(tmpdir(), 'driftloop-artifact-'));
  try {
    await copyArtifact(uri, copy);
    await checkFolder(uri, copy, checksum);
    return await work(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function checkFolder(uri: string, folder: string, checksum: string | undefined) {
  if (checksum === undefined) return;
  const files = await hashFiles({ store: fileArtifactStore(folder), path: '' });
  const mistake = filesMistake(uri, files, await readFileList(locateArtifact(uri)), checksum);
  if (mistake !== null) throw new UserError(`model ${mistake}: it was changed or damaged`);
}

async function copyArtifact(uri: string, folder: string): Promise<void> {
  const { store, path } = locateArtifact(uri);
  for (const name of await store.list(path)) {
    const file = join(folder, name);
    if (relative(folder, file).startsWith('..'))
      throw new UserError(`${uri}: the name of file ${name} leads out of the folder`);
    await mkdir(dirname(file), { recursive: true });
    await pipeline(await store.below(path).stream(name), createWriteStream(file));
  }
}

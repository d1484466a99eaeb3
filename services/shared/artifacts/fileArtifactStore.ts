import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ArtifactStore } from './artifactStore.ts';
import { syncFile, syncFilesBelow, syncFolder } from './syncFolder.ts';

/** Keeps artifacts in a folder of a file system, which all retrainers share. */
export function fileArtifactStore(root: string): ArtifactStore {
  const at = (path: string) => join(root, path);
  return {
    uri: path => pathToFileURL(at(path)).href,
    below: path => fileArtifactStore(at(path)),
    read: path => orNull(readFile(at(path))),
    async stream(path) {
      const handle = await open(at(path));
      return handle.createReadStream();
    },
    async create(path, content) {
      await mkdir(dirname(at(path)), { recursive: true });
      try {
        await writeFile(at(path), content, { flag: 'wx', flush: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
      await syncFolder(dirname(at(path)));
      return true;
    },
    async putFile(path, file) {
      const temporary = `${at(path)}.${randomUUID()}.tmp`;
      await mkdir(dirname(at(path)), { recursive: true });
      try {
        await copyFile(file, temporary, constants.COPYFILE_FICLONE);
        await syncFile(temporary);
        await rename(temporary, at(path));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await syncFolder(dirname(at(path)));
    },
    async keepFolder(path, folder) {
      await syncFilesBelow(folder);
      await mkdir(dirname(at(path)), { recursive: true });
      try {
        await rename(folder, at(path));
      } catch (error) {
        // A folder that is not empty is never replaced.
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!['ENOTEMPTY', 'EEXIST'].includes(code)) throw error;
      }
      await syncFolder(dirname(at(path)));
    },
    async list(path) {
      const entries = await orNull(readdir(at(path), { recursive: true, withFileTypes: true }));
      return (entries ?? [])
        .filter(entry => entry.isFile())
        .map(entry => relative(at(path), join(entry.parentPath, entry.name)))
        .map(file => file.replaceAll(sep, '/'))
        .sort();
    },
    remove: path => rm(at(path), { recursive: true, force: true }),
  };
}

async function orNull<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

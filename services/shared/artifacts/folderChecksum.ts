import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { type ArtifactStore, ArtifactStoreError } from './artifactStore.ts';
import { fileArtifactStore } from './fileArtifactStore.ts';
import type { StoredArtifact } from './openArtifactStore.ts';

/** The size and the SHA-256 of each file of a folder, by its path with `/`. */
export type HashedFiles = Record<string, HashedFile>;

export interface HashedFile {
  bytes: number;
  sha256: string;
}

const hashedFiles = z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() }));

/** Returns the path of the list of a folder's files, which lies beside the folder. */
export function fileListOf(folder: string): string {
  return `${folder}.files.json`;
}

/**
 * Returns the SHA-256 of all files in a folder and below it: of their paths and contents, in the
 * order of the paths. It works for the folder of any trainer. docs/trainers.md has the recipe.
 */
export async function folderChecksum(folder: string): Promise<string> {
  return checksumOf(await hashFiles({ store: fileArtifactStore(folder), path: '' }));
}

/** Returns the checksum of a folder with these files. */
export function checksumOf(files: HashedFiles): string {
  const hash = createHash('sha256');
  for (const path of Object.keys(files).sort()) hash.update(`${path}\0${files[path]!.sha256}\n`);
  return hash.digest('hex');
}

/**
 * Reads all files of a folder, and returns what they are.
 * @throws ArtifactStoreError if there are none
 */
export async function hashFiles({ store, path }: StoredArtifact): Promise<HashedFiles> {
  const folder = store.below(path);
  const files: HashedFiles = {};
  for (const name of await folder.list('')) files[name] = await hashFile(folder, name);
  if (Object.keys(files).length === 0)
    throw new ArtifactStoreError(`${folder.uri('')} has no files`);
  return files;
}

/** Reads a file, and returns what it is. */
export async function hashFile(store: ArtifactStore, path: string): Promise<HashedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(await store.stream(path), async source => {
    for await (const chunk of source) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** Reads the list of a folder's files, or returns null if it has none, as those of earlier versions. */
export async function readFileList({ store, path }: StoredArtifact): Promise<HashedFiles | null> {
  const content = await store.read(fileListOf(path));
  if (content === null) return null;
  try {
    return hashedFiles.parse(JSON.parse(content.toString('utf8')));
  } catch {
    return {};
  }
}

/**
 * Says in one sentence why files are not those of a checksum, or returns null if they are. Where
 * the list of the files is known, it names the first one that is missing, new or changed.
 * @param name of the artifact, for the sentence
 */
export function filesMistake(
  name: string,
  found: HashedFiles,
  listed: HashedFiles | null,
  checksum: string,
): string | null {
  if (checksumOf(found) === checksum) return null;
  if (listed === null || checksumOf(listed) !== checksum)
    return `${name} has checksum ${checksumOf(found)}, expected ${checksum}`;
  for (const path of [...new Set([...Object.keys(listed), ...Object.keys(found)])].sort()) {
    const expected = listed[path];
    const is = found[path];
    if (is?.sha256 === expected?.sha256) continue;
    if (!is) return `${name}: ${path} is missing, expected ${shown(expected!)}`;
    if (!expected) return `${name}: ${path} is there with ${shown(is)}, expected no such file`;
    return `${name}: ${path} has ${shown(is)}, expected ${shown(expected)}`;
  }
  return null;
}

function shown({ bytes, sha256 }: HashedFile): string {
  return `${bytes} bytes with SHA-256 ${sha256}`;
}

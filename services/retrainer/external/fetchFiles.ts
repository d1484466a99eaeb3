import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactStore } from '../../shared/artifacts/artifactStore.ts';
import { fileArtifactStore } from '../../shared/artifacts/fileArtifactStore.ts';
import { hashFile } from '../../shared/artifacts/folderChecksum.ts';

/**
 * Copies files of a store to a folder of this machine, and compares what has come with the SHA-256
 * of each.
 * @returns what is wrong with the first file that is missing or another one, or null
 */
export async function fetchFiles(
  store: ArtifactStore,
  files: Readonly<Record<string, string>>,
  folder: string,
): Promise<string | null> {
  const present = new Set(await store.list(''));
  const local = fileArtifactStore(folder);
  for (const [path, expected] of Object.entries(files)) {
    if (!present.has(path)) return `${path} is not in ${store.uri('')}`;
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await pipeline(await store.stream(path), createWriteStream(file));
    const { sha256 } = await hashFile(local, path);
    if (sha256 !== expected) return `${path} has SHA-256 ${sha256}, expected ${expected}`;
  }
  return null;
}

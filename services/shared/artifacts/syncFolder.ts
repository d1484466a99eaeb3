import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Flushes the content of a file to disk. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Flushes the names in a folder to disk. Without this, a rename may be lost when the machine stops.
 */
export function syncFolder(folder: string): Promise<void> {
  return syncFile(folder);
}

/** Flushes the content of all files in a folder and below it. */
export async function syncFilesBelow(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await syncFile(join(entry.parentPath, entry.name));
}

import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder for artifacts that can be filled to the last byte. */
export interface ArtifactsDisk {
  folder: string;
  /** Why it is no disk of its own, and so cannot be filled; null when it is. */
  obstacle: string | null;
  fill(): void;
  free(): Promise<void>;
  unmount(): void;
}

const chunkBytes = 64 * 1024;

/** A file system in memory, which only root can mount. */
export function mountArtifactsDisk(folder: string, megabytes: number): ArtifactsDisk {
  mkdirSync(folder, { recursive: true });
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  const obstacle = mount.status === 0 ? null : (mount.error?.message ?? mount.stderr.trim());
  const ballast = join(folder, 'ballast');
  return {
    folder,
    obstacle,
    fill() {
      const file = openSync(ballast, 'w');
      try {
        for (const bytes of [chunkBytes, 1]) writeUntilFull(file, Buffer.alloc(bytes));
      } finally {
        closeSync(file);
      }
    },
    free: () => rm(ballast, { force: true }),
    unmount() {
      // Lazily: a process that was not waited for may still have a file open.
      if (obstacle === null) spawnSync('umount', ['-l', folder]);
    },
  };
}

function writeUntilFull(file: number, bytes: Buffer): void {
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder for artifacts on a file system of its own, which can be filled to the last byte. */
export interface ArtifactsDisk {
  folder: string;
  /**
   * Why the file system could not be mounted, so that it cannot be filled; null if it was mounted.
   */
  obstacle: string | null;
  /** Writes a file until the file system has no space left. */
  fill(): void;
  /** Removes what `fill` wrote. */
  free(): Promise<void>;
  unmount(): void;
}

const chunkBytes = 64 * 1024;

/**
 * Mounts a file system in memory (tmpfs) on the folder. Only root can do so; without the right, the
 * folder is an ordinary one and `obstacle` says why.
 */
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
      // The option -l also unmounts while a process still has a file open.
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

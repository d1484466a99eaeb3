import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withAttemptFolder } from '../../../services/retrainer/artifacts/attemptFolder.ts';

let modelFolder: string;
beforeEach(async () => {
  modelFolder = await mkdtemp(join(tmpdir(), 'driftloop-attempts-'));
});
afterEach(() => rm(modelFolder, { recursive: true }));

const run = () => ({ modelFolder, runId: 'run' });
const never = () => false;

/** Makes an attempt that another one takes over while it works. */
async function takenOver<T>(
  work: (folder: string) => Promise<T>,
  hasFailed: (result: T) => boolean,
) {
  return withAttemptFolder(
    run(),
    async folder => {
      const later = async (ownFolder: string) => {
        expect(existsSync(folder)).toBe(false);
        expect(existsSync(ownFolder)).toBe(true);
      };
      await withAttemptFolder(run(), later, never);
      return work(folder);
    },
    hasFailed,
  );
}

it('removes the folders of earlier attempts, and ignores how they fail', async () => {
  expect(await takenOver(folder => readdir(folder), never)).toBeNull();
  expect(
    await takenOver(
      async () => 'exit code 1',
      () => true,
    ),
  ).toBeNull();
  expect(await readdir(join(modelFolder, 'runs'))).toEqual([]);
});

it('returns the result of an attempt that succeeds although it was taken over', async () => {
  expect(await takenOver(async () => 'published', never)).toBe('published');
});

it('passes on the failures of an attempt that was not taken over', async () => {
  const failing = async () => {
    throw new Error('no weights');
  };
  await expect(withAttemptFolder(run(), failing, never)).rejects.toThrow('no weights');
  const failed = await withAttemptFolder(
    run(),
    async () => 'exit code 1',
    () => true,
  );
  expect(failed).toBe('exit code 1');
});

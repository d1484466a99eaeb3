import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  TakenOver,
  withAttemptFolder,
} from '../../../services/retrainer/artifacts/attemptFolder.ts';

let modelFolder: string;
beforeEach(async () => {
  modelFolder = await mkdtemp(join(tmpdir(), 'driftloop-attempts-'));
});
afterEach(() => rm(modelFolder, { recursive: true }));

it('removes what earlier attempts left, and tells them that another has taken over', async () => {
  const both = { modelFolder, runId: 'run' };
  const later = Promise.withResolvers<void>();
  const earlier = withAttemptFolder(both, async folder => {
    later.resolve(
      withAttemptFolder(both, async ownFolder => {
        expect(existsSync(folder)).toBe(false);
        expect(existsSync(ownFolder)).toBe(true);
      }),
    );
    await later.promise;
    return readdir(folder);
  });
  await expect(earlier).rejects.toThrow(TakenOver);
  expect(await readdir(join(modelFolder, 'runs'))).toEqual([]);
});

it('passes on the error of work that nobody took over', async () => {
  const failing = withAttemptFolder({ modelFolder, runId: 'run' }, async () => {
    throw new Error('no weights');
  });
  await expect(failing).rejects.toThrow('no weights');
});

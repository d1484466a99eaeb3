import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimVersionName } from '../../../services/retrainer/artifacts/claimVersionName.ts';

let modelFolder: string;
beforeEach(async () => {
  modelFolder = await mkdtemp(join(tmpdir(), 'driftloop-names-'));
});
afterEach(() => rm(modelFolder, { recursive: true }));

it('gives different names to runs that ask at the same moment', async () => {
  const runs = Array.from({ length: 20 }, (_, index) => `run${index}`);
  const names = await Promise.all(
    runs.map(runId => claimVersionName('1', new Set(['1', '3']), { modelFolder, runId })),
  );
  expect(names.map(Number).sort((a, b) => a - b)).toEqual([
    2,
    ...Array.from({ length: 19 }, (_, index) => index + 4),
  ]);
});

it('gives a repeated run the same name as before', async () => {
  const name = await claimVersionName('spring', new Set(['spring']), {
    modelFolder,
    runId: 'cut off',
  });
  expect(
    await claimVersionName('spring', new Set(['spring']), { modelFolder, runId: 'another' }),
  ).toBe('spring+2');
  expect(
    await claimVersionName('spring', new Set(['spring']), { modelFolder, runId: 'cut off' }),
  ).toBe(name);
});

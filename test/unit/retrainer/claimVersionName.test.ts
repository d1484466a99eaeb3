import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimVersionName } from '../../../services/retrainer/artifacts/claimVersionName.ts';
import type { ArtifactStore } from '../../../services/shared/artifacts/artifactStore.ts';
import { openArtifactStore } from '../../../services/shared/artifacts/openArtifactStore.ts';

let artifacts: ArtifactStore;
beforeEach(async () => {
  artifacts = openArtifactStore(await mkdtemp(join(tmpdir(), 'driftloop-names-')));
});
afterEach(() => artifacts.remove(''));

it('gives different names to runs that ask at the same moment', async () => {
  const runs = Array.from({ length: 20 }, (_, index) => `run${index}`);
  const names = await Promise.all(
    runs.map(runId => claimVersionName('1', new Set(['1', '3']), { artifacts, runId })),
  );
  expect(names.map(Number).sort((a, b) => a - b)).toEqual([
    2,
    ...Array.from({ length: 19 }, (_, index) => index + 4),
  ]);
});

it('gives a repeated run the same name as before', async () => {
  const name = await claimVersionName('spring', new Set(['spring']), {
    artifacts,
    runId: 'cut off',
  });
  expect(
    await claimVersionName('spring', new Set(['spring']), { artifacts, runId: 'another' }),
  ).toBe('spring+2');
  expect(
    await claimVersionName('spring', new Set(['spring']), { artifacts, runId: 'cut off' }),
  ).toBe(name);
});

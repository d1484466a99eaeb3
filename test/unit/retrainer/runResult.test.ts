import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  keepResult,
  keptModelFolder,
  type RunResult,
  readResult,
} from '../../../services/retrainer/artifacts/runResult.ts';
import { openArtifactStore } from '../../../services/shared/artifacts/openArtifactStore.ts';

let modelFolder: string;
beforeEach(async () => {
  modelFolder = await mkdtemp(join(tmpdir(), 'driftloop-results-'));
});
afterEach(() => rm(modelFolder, { recursive: true }));

const resultOf = (version: string) =>
  ({
    version: { version, artifactChecksum: version },
    reference: { id: version, rows: [] },
  }) as unknown as RunResult;

async function keep(version: string): Promise<RunResult> {
  const attempt = join(modelFolder, 'runs', version);
  const trainedFolder = join(attempt, 'model');
  await mkdir(trainedFolder, { recursive: true });
  await writeFile(join(trainedFolder, 'weights'), version);
  const folder = join(attempt, 'kept');
  return keepResult({ trainedFolder, folder, texts: {} }, resultOf(version), run());
}

const run = () => ({ artifacts: openArtifactStore(modelFolder), runId: 'run' });

it('keeps one result of a run with its model, and returns it to every later process', async () => {
  expect(await readResult(run())).toBeNull();
  const results = await Promise.all(['2', '3', '4', '5'].map(keep));
  const [kept] = results;
  expect(new Set(results.map(result => result.version.version)).size).toBe(1);
  expect(await keep('6')).toEqual(kept);
  expect(await readResult(run())).toEqual(kept);
  const weights = await run().artifacts.read(`${keptModelFolder(run(), 'any')}/weights`);
  expect(String(weights)).toBe(kept!.version.version);
});

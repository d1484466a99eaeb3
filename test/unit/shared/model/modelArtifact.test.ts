import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderChecksum } from '../../../../services/shared/artifacts/folderChecksum.ts';
import { predict } from '../../../../services/shared/model/model.ts';
import { loadModel, writeModel } from '../../../../services/shared/model/modelArtifact.ts';
import { trainModel } from '../../../../services/shared/model/trainModel.ts';

const features = Array.from({ length: 200 }, (_, index) => ({
  x: index % 17,
  city: index % 3 === 0 ? 'Rome' : 'Oslo',
}));
const rows = { features, labels: features.map(row => (row.x > 8 ? '1' : '0')) };
const about = { datasetId: 'd1', seed: 5, backend: 'wasm', codeVersion: 'test 1' } as const;
const train = () =>
  trainModel({
    task: 'binary',
    classes: ['0', '1'],
    features: ['x', 'city'],
    train: rows,
    select: rows,
    seed: 5,
  });

describe('writeModel and loadModel', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'driftloop-model-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('loads a model with the same outputs, and leaves no other files', async () => {
    const model = await train();
    const target = join(folder, 'a');
    await writeModel(target, model, about);
    const loaded = await loadModel(pathToFileURL(target).href, await folderChecksum(target));
    expect(await loaded.predict(features)).toEqual(await predict(model, features));
    expect(loaded.manifest).toMatchObject({
      ...about,
      task: 'binary',
      classes: ['0', '1'],
      features: ['x', 'city'],
    });
    loaded.dispose();
    expect((await readdir(folder)).sort()).toEqual(['a']);
    expect((await readdir(target)).sort()).toEqual([
      'encoder.json',
      'manifest.json',
      'model.json',
      'weights.bin',
    ]);
  });

  it('writes the same bytes for the same data and seed', async () => {
    await writeModel(join(folder, 'b'), await train(), about);
    await writeModel(join(folder, 'c'), await train(), about);
    expect(await folderChecksum(join(folder, 'b'))).toBe(await folderChecksum(join(folder, 'c')));
  });

  it('rejects a damaged file and names it', async () => {
    const target = join(folder, 'd');
    await writeModel(target, await train(), about);
    const weights = await readFile(join(target, 'weights.bin'));
    weights[3]! ^= 1;
    await writeFile(join(target, 'weights.bin'), weights);
    await expect(loadModel(target)).rejects.toThrow(
      /weights\.bin has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}/,
    );
  });

  it('rejects a complete folder that is not the one that was published', async () => {
    const target = join(folder, 'e');
    await writeModel(target, await train(), about);
    await expect(loadModel(target, 'another')).rejects.toThrow(
      /has checksum [0-9a-f]{64}, expected another/,
    );
  });

  it('rejects a missing folder and names the file', async () => {
    await expect(loadModel(join(folder, 'nowhere'))).rejects.toThrow(
      /nowhere: manifest\.json cannot be read: ENOENT/,
    );
  });
});

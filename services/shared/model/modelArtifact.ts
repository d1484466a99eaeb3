import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withArtifactFolder } from '../artifacts/readArtifact.ts';
import { syncFolder } from '../artifacts/syncFolder.ts';
import type { Task } from '../task.ts';
import { UserError } from '../userError.ts';
import type { Costs } from './costs.ts';
import type { FeatureEncoder, FeatureRow } from './featureEncoder.ts';
import { type ClassLabel, type Model, type ModelOutput, predict } from './model.ts';
import { loadTensorflow, type TensorflowBackend } from './tensorflow.ts';

/**
 * The description in a model folder. It holds no wall-clock time, so that the same data and seed
 * give the same bytes.
 */
export interface ModelManifest {
  format: 1;
  task: Task;
  classes: ClassLabel[];
  features: string[];
  labelScale: { mean: number; deviation: number };
  /** As in `ModelDescription`; absent for null. */
  costs?: Costs;
  datasetId: string;
  seed: number;
  backend: TensorflowBackend;
  codeVersion: string;
  /** The SHA-256 of each other file, by name. */
  files: Record<string, string>;
}

/** A model that was loaded for serving. */
export interface LoadedModel {
  manifest: ModelManifest;
  /** Returns the outputs for rows of features, in their order. */
  predict(rows: readonly FeatureRow[]): Promise<ModelOutput[]>;
  /** Frees the memory of the weights. */
  dispose(): void;
}

const manifestFile = 'manifest.json';

/**
 * Writes a model folder with `model.json` and `weights.bin` (the layers format of TensorFlow.js),
 * `encoder.json` and `manifest.json`. All files are on disk before the folder gets its name, so a
 * folder of that name is complete. A folder of that name that exists is replaced.
 */
export async function writeModel(
  folder: string,
  model: Model,
  about: Pick<ModelManifest, 'datasetId' | 'seed' | 'backend' | 'codeVersion'>,
): Promise<void> {
  const { task, classes, encoder, labelScale, costs } = model;
  const contents = new Map<string, Uint8Array>([
    ...(await layersFiles(model)),
    ['encoder.json', json(encoder)],
  ]);
  const manifest: ModelManifest = {
    format: 1,
    task,
    classes,
    features: encoder.features.map(feature => feature.name),
    labelScale,
    ...(costs && { costs }),
    ...about,
    files: Object.fromEntries([...contents].map(([name, bytes]) => [name, sha256(bytes)])),
  };
  contents.set(manifestFile, json(manifest));

  const temporary = `${folder}.${randomUUID()}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    for (const [name, bytes] of contents) await writeDurably(join(temporary, name), bytes);
    await syncFolder(temporary);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
    await syncFolder(dirname(folder));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Loads a model folder for serving, after it has checked every file against the manifest.
 *
 * @param location the folder, or its address as in `ModelVersion.artifactUri`
 * @param expectedChecksum `ModelVersion.artifactChecksum`, to make sure that the folder is the one
 * that was published
 * @throws UserError if a file is missing, or differs from what was written or published
 */
export function loadModel(location: string, expectedChecksum?: string): Promise<LoadedModel> {
  return withArtifactFolder(location, expectedChecksum, loadFolder);
}

async function loadFolder(folder: string): Promise<LoadedModel> {
  const manifest = JSON.parse(
    (await readModelFile(folder, manifestFile)).toString('utf8'),
  ) as ModelManifest;
  const contents = new Map<string, Buffer>();
  for (const [name, checksum] of Object.entries(manifest.files)) {
    const bytes = await readModelFile(folder, name);
    if (sha256(bytes) !== checksum)
      throw new UserError(
        `model ${folder}: ${name} has SHA-256 ${sha256(bytes)}, expected ${checksum}: it was changed or damaged`,
      );
    contents.set(name, bytes);
  }
  const { tf } = await loadTensorflow();
  const topology = JSON.parse(contents.get('model.json')!.toString('utf8'));
  const weights = contents.get('weights.bin')!;
  const layers = await tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: topology.modelTopology,
      weightSpecs: topology.weightsManifest[0].weights,
      weightData: new Uint8Array(weights).buffer,
    }),
  );
  const encoder = JSON.parse(contents.get('encoder.json')!.toString('utf8')) as FeatureEncoder;
  const model: Model = {
    task: manifest.task,
    classes: manifest.classes,
    labelScale: manifest.labelScale,
    costs: manifest.costs ?? null,
    encoder,
    layers,
  };
  return { manifest, predict: rows => predict(model, rows), dispose: () => layers.dispose() };
}

async function layersFiles({ layers }: Model): Promise<[string, Uint8Array][]> {
  const { tf } = await loadTensorflow();
  const files: [string, Uint8Array][] = [];
  await layers.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const buffers = Array.isArray(weightData) ? weightData : [weightData!];
      files.push(
        [
          'model.json',
          json({
            format: 'layers-model',
            modelTopology,
            weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
          }),
        ],
        ['weights.bin', Buffer.concat(buffers.map(buffer => new Uint8Array(buffer)))],
      );
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return files;
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readModelFile(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    throw new UserError(
      `model ${pathToFileURL(folder).href}: ${name} cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

function json(content: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(content, null, 1)}\n`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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
 * @param location the folder, or its file:// address as in `ModelVersion.artifactUri`
 * @param expectedChecksum `ModelVersion.artifactChecksum`, to make sure that the folder is the one
 * that was published
 * @throws UserError if a file is missing, or differs from what was written or published
 */
export async function loadModel(location: string, expectedChecksum?: string): Promise<LoadedModel> {
  const folder = location.startsWith('file:') ? fileURLToPath(location) : location;
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
  if (expectedChecksum !== undefined) {
    const checksum = await folderChecksum(folder);
    if (checksum !== expectedChecksum)
      throw new UserError(
        `model ${folder}: the folder has checksum ${checksum}, expected ${expectedChecksum}`,
      );
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

/**
 * Returns the SHA-256 of all files in a folder and below it: of their paths and contents, in the
 * order of the paths. It works for the folder of any trainer.
 */
export async function folderChecksum(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    hash.update(`${relative(folder, file)}\0${sha256(await readFile(file))}\n`);
  }
  return hash.digest('hex');
}

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

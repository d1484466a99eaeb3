import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { folderChecksum, syncFolder } from '../shared/model/modelArtifact.ts';
import type { ModelSettings } from '../shared/settings.ts';
import { columnPrefixes } from './dataset.ts';
import { safeName } from './modelFolder.ts';
import { runTrainer } from './runTrainer.ts';
import type { Snapshot } from './snapshot.ts';
import {
  datasetFile,
  modelFolderName,
  predictionsFile,
  type RowOutput,
  readOutputs,
  TrainerFailure,
  type TrainingTask,
  taskFile,
} from './trainerContract.ts';

export interface Candidate {
  artifactUri: string;
  artifactChecksum: string;
  /** By row of the dataset: the gate rows, and whatever else the trainer gave. */
  outputs: Map<number, RowOutput>;
}

/**
 * Has a trainer train on a snapshot, in a folder of its own that is gone afterwards, and puts the model that it left under
 * `versions/<version>-<checksum>`.
 * @throws TrainerFailure
 */
export async function trainCandidate(
  snapshot: Snapshot,
  options: {
    model: string;
    version: string;
    runId: string;
    seed: number;
    settings: ModelSettings;
    modelFolder: string;
    signal: AbortSignal;
  },
): Promise<Candidate> {
  const { model, version, runId, seed, settings, modelFolder, signal } = options;
  const runs = join(modelFolder, 'runs');
  await mkdir(runs, { recursive: true });
  await removeEarlierAttempts(runs, runId);
  const folder = await mkdtemp(join(runs, `${runId}-`));
  try {
    const outputFolder = join(folder, 'output');
    await mkdir(outputFolder);
    await copyFile(snapshot.file, join(folder, datasetFile), constants.COPYFILE_FICLONE);
    await writeFile(
      join(folder, taskFile),
      `${JSON.stringify(trainingTask(snapshot, { model, seed, outputFolder }), null, 2)}\n`,
    );
    const { command, timeout } = settings.retraining;
    await runTrainer(folder, { command, timeoutMs: timeout, signal });

    const trained = join(outputFolder, modelFolderName);
    const predictions = join(outputFolder, predictionsFile);
    await mustExist(trained, 'directory');
    await mustExist(predictions, 'file');
    const outputs = await readOutputs(predictions, snapshot.rows.length, snapshot.split.gate);
    return { ...(await keepModel(trained, join(modelFolder, 'versions'), version)), outputs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function trainingTask(
  { id, task, classes, features, labelsAreNumbers, split }: Snapshot,
  { model, seed, outputFolder }: { model: string; seed: number; outputFolder: string },
): TrainingTask {
  return {
    model,
    datasetId: id,
    task,
    classes,
    features: features.map(({ name, type }) => ({ name, type, column: columnPrefixes[type] + name })),
    labelColumn: labelsAreNumbers ? 'label_value' : 'label',
    splits: split,
    seed,
    outputFolder,
  };
}

/** Of an attempt whose process was killed. */
async function removeEarlierAttempts(runs: string, runId: string): Promise<void> {
  const earlier = (await readdir(runs)).filter(name => name.startsWith(`${runId}-`));
  for (const name of earlier) await rm(join(runs, name), { recursive: true, force: true });
}

async function mustExist(path: string, kind: 'file' | 'directory'): Promise<void> {
  const name = path.endsWith(modelFolderName) ? `${modelFolderName}/` : predictionsFile;
  try {
    const status = await stat(path);
    if (kind === 'file' ? status.isFile() : status.isDirectory() && (await readdir(path)).length > 0) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  throw new TrainerFailure(`trainer: ended with exit code 0 but left no ${name} in the output folder`);
}

/** The checksum in the name makes it impossible that an address ever gets another content. */
async function keepModel(
  trained: string,
  versions: string,
  version: string,
): Promise<{ artifactUri: string; artifactChecksum: string }> {
  const artifactChecksum = await folderChecksum(trained);
  for (const entry of await readdir(trained, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await syncFile(join(entry.parentPath, entry.name));
  }
  await mkdir(versions, { recursive: true });
  const kept = join(versions, `${safeName(version)}-${artifactChecksum.slice(0, 12)}`);
  await rm(kept, { recursive: true, force: true });
  await rename(trained, kept);
  await syncFolder(versions);
  return { artifactUri: pathToFileURL(kept).href, artifactChecksum };
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

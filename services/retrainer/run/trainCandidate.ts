import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { folderChecksum } from '../../shared/model/modelArtifact.ts';
import { keepResult, keptModelFolder, type RunResult } from '../artifacts/runResult.ts';
import { columnPrefixes } from '../dataset/dataset.ts';
import { runTrainer } from '../trainer/runTrainer.ts';
import {
  datasetFile,
  modelFolderName,
  predictionsFile,
  type RowOutput,
  readOutputs,
  TrainerFailure,
  type TrainingTask,
  taskFile,
} from '../trainer/trainerContract.ts';
import type { Snapshot } from './snapshot.ts';

export interface Candidate {
  artifactUri: string;
  artifactChecksum: string;
  /** By row of the dataset: the gate rows, and whatever else the trainer gave. */
  outputs: Map<number, RowOutput>;
}

/**
 * Has a trainer train on a snapshot, and keeps the model that it left.
 * @param resultOf what becomes of the candidate
 * @returns the result of the run, which may be another process's: see keepResult
 * @throws TrainerFailure
 */
export async function trainCandidate(
  snapshot: Snapshot,
  options: {
    model: string;
    runId: string;
    seed: number;
    settings: ModelSettings;
    modelFolder: string;
    /** Of this attempt alone. */
    folder: string;
    signal: AbortSignal;
  },
  resultOf: (candidate: Candidate) => Promise<RunResult>,
): Promise<RunResult> {
  const { model, runId, seed, settings, modelFolder, folder, signal } = options;
  const outputFolder = join(folder, 'output');
  await mkdir(outputFolder);
  await copyFile(snapshot.file, join(folder, datasetFile), constants.COPYFILE_FICLONE);
  await writeFile(
    join(folder, taskFile),
    `${JSON.stringify(trainingTask(snapshot, { model, seed, outputFolder }), null, 2)}\n`,
  );
  const { command, timeoutMs } = settings.retraining;
  await runTrainer(folder, { command, timeoutMs, signal });

  const trained = join(outputFolder, modelFolderName);
  const predictions = join(outputFolder, predictionsFile);
  await mustExist(trained, 'directory');
  await mustExist(predictions, 'file');
  const result = await resultOf({
    artifactUri: pathToFileURL(keptModelFolder(modelFolder, runId)).href,
    artifactChecksum: await folderChecksum(trained),
    outputs: await readOutputs(predictions, snapshot.rows.length, snapshot.split.gate),
  });
  const kept = join(folder, 'kept');
  await mkdir(kept);
  await rename(trained, join(kept, modelFolderName));
  return keepResult(kept, result, { modelFolder, runId });
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
    features: features.map(({ name, type }) => ({
      name,
      type,
      column: columnPrefixes[type] + name,
    })),
    labelColumn: labelsAreNumbers ? 'label_value' : 'label',
    splits: split,
    seed,
    outputFolder,
  };
}

async function mustExist(path: string, kind: 'file' | 'directory'): Promise<void> {
  const name = path.endsWith(modelFolderName) ? `${modelFolderName}/` : predictionsFile;
  try {
    const status = await stat(path);
    if (
      kind === 'file' ? status.isFile() : status.isDirectory() && (await readdir(path)).length > 0
    )
      return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  throw new TrainerFailure(
    `trainer: ended with exit code 0 but left no ${name} in the output folder`,
  );
}

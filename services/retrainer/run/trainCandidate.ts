import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
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
  type TrainingTask,
  taskFile,
} from '../trainer/trainerContract.ts';
import type { RunStart } from './runOutcome.ts';
import type { Snapshot } from './snapshot.ts';

export interface Candidate {
  /** Where the trainer left the model, until the candidate is kept. */
  trainedFolder: string;
  /** Where the model will be kept. */
  artifactUri: string;
  artifactChecksum: string;
  /** By row of the dataset: all gate rows, and others for which the trainer gave outputs. */
  outputs: Map<number, RowOutput>;
}

export type TrainedCandidate =
  | { candidate: Candidate; failure: null }
  /** The reason to publish. */
  | { candidate: null; failure: string };

/**
 * Has a trainer train on a snapshot.
 * @param options.attempt folder of this attempt alone
 */
export async function trainCandidate(
  run: RunStart,
  snapshot: Snapshot,
  seed: number,
  { attempt, signal }: { attempt: string; signal: AbortSignal },
): Promise<TrainedCandidate> {
  const { model } = run.cause;
  const outputFolder = join(attempt, 'output');
  await mkdir(outputFolder);
  await copyFile(snapshot.file, join(attempt, datasetFile), constants.COPYFILE_FICLONE);
  const task = JSON.stringify(trainingTask(snapshot, { model, seed, outputFolder }), null, 2);
  await writeFile(join(attempt, taskFile), `${task}\n`);
  const { command, timeoutMs } = run.settings.retraining;
  const failure = await runTrainer(attempt, { command, timeoutMs, signal });
  if (failure !== null) return { candidate: null, failure };
  return trainedCandidate(run, snapshot, outputFolder);
}

function trainingTask(
  { id, meaning, classes, features, labelsAreNumbers, split }: Snapshot,
  { model, seed, outputFolder }: Pick<TrainingTask, 'model' | 'seed' | 'outputFolder'>,
): TrainingTask {
  return {
    model,
    datasetId: id,
    task: meaning.task,
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

/** Reads what a trainer that succeeded has left. */
async function trainedCandidate(
  run: RunStart,
  { rows, split }: Snapshot,
  outputFolder: string,
): Promise<TrainedCandidate> {
  const trainedFolder = join(outputFolder, modelFolderName);
  const predictions = join(outputFolder, predictionsFile);
  if (!(await isFilledFolder(trainedFolder))) return nothingLeft(`${modelFolderName}/`);
  if (!(await isFile(predictions))) return nothingLeft(predictionsFile);
  const { outputs, failure } = await readOutputs(predictions, rows.length, split.gate);
  if (!outputs) return { candidate: null, failure };
  const candidate = {
    trainedFolder,
    artifactUri: pathToFileURL(keptModelFolder(run)).href,
    artifactChecksum: await folderChecksum(trainedFolder),
    outputs,
  };
  return { candidate, failure: null };
}

function nothingLeft(name: string): TrainedCandidate {
  const failure = `The trainer ended with exit code 0, but left no ${name} in the output folder.`;
  return { candidate: null, failure };
}

async function isFilledFolder(path: string): Promise<boolean> {
  const status = await statusOf(path);
  return status?.isDirectory() === true && (await readdir(path)).length > 0;
}

async function isFile(path: string): Promise<boolean> {
  const status = await statusOf(path);
  return status?.isFile() ?? false;
}

async function statusOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Keeps a candidate with its result.
 * @returns the result of the run, which may be that of another process (see `keepResult`)
 */
export async function keepCandidate(
  { trainedFolder }: Candidate,
  result: RunResult,
  run: RunStart,
  attempt: string,
): Promise<RunResult> {
  const kept = join(attempt, 'kept');
  await mkdir(kept);
  await rename(trainedFolder, join(kept, modelFolderName));
  return keepResult(kept, result, run);
}

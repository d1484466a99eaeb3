import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { folderChecksum } from '../../shared/artifacts/folderChecksum.ts';
import {
  keepResult,
  keptModelFolder,
  keptTaskFile,
  modelCardFile,
  type RunResult,
} from '../artifacts/runResult.ts';
import { withTrainingLog } from '../artifacts/trainingLog.ts';
import { columnPrefixes } from '../dataset/dataset.ts';
import { type TrainRows, trainRows } from '../dataset/trainRows.ts';
import { onnxFile } from '../trainer/onnxContract.ts';
import { parityMistake } from '../trainer/onnxParity.ts';
import { type RunTrainerOptions, runTrainer } from '../trainer/runTrainer.ts';
import {
  computedFile,
  datasetFile,
  modelFolderName,
  outputFolderName,
  predictionsFile,
  type RowOutput,
  readOutputs,
  type TrainerOutputs,
  type TrainingTask,
  taskFile,
} from '../trainer/trainerContract.ts';
import { bestCandidate, namesOfRows } from './bestCandidate.ts';
import { keptTask } from './keptTask.ts';
import type { RunStart } from './runOutcome.ts';
import type { Snapshot } from './snapshot.ts';

/** A folder with what a trainer was given and what it left, and how to ask the model in it. */
type TrainedFolder = Pick<RunTrainerOptions, 'logFile' | 'signal'> & { folder: string };

/** An ONNX model may take as long to answer to all rows. */
export const onnxTimeoutMs = 600_000;
const onnxCommand = [
  process.execPath,
  fileURLToPath(new URL('../trainer/askOnnxModel.ts', import.meta.url)),
];

export interface Candidate {
  /** Where the trainer left the model, until the candidate is kept. */
  trainedFolder: string;
  /** What the trainer was given. */
  task: TrainingTask;
  /** Where the model will be kept. */
  artifactUri: string;
  artifactChecksum: string;
  /** By row of the dataset: all gate rows, and others for which the trainer gave outputs. */
  outputs: Map<number, RowOutput>;
  /** Rows that it was trained on. */
  trainRows: TrainRows;
  /** What else was trained, and why this one was taken, as sentences for the user. */
  notes: string[];
}

export type TrainedCandidate =
  | { candidate: Candidate; failure: null }
  /** The reason to publish. */
  | { candidate: null; failure: string };

/**
 * Has a trainer train on a snapshot, and keeps what it prints.
 * @param options.attempt folder of this attempt alone
 */
export function trainCandidate(
  run: RunStart,
  snapshot: Snapshot,
  seed: number,
  options: { attempt: string; signal: AbortSignal },
): Promise<TrainedCandidate> {
  return withTrainingLog(run, logFile =>
    trainOnChoices(run, snapshot, seed, { ...options, logFile }),
  );
}

/**
 * Trains on several choices of its rows, one after the other, within the
 * timeout. The candidate that is the best on the select rows is the candidate of the run.
 */
async function trainOnChoices(
  run: RunStart,
  snapshot: Snapshot,
  seed: number,
  { attempt, signal, logFile }: { attempt: string; signal: AbortSignal; logFile: string },
): Promise<TrainedCandidate> {
  const { command, rows, timeoutMs } = run.settings.retraining;
  const choices = choicesOfRows(snapshot, rows, { drawsRows: command === undefined, seed });
  const deadlineMs = Date.now() + timeoutMs;
  const trained: Candidate[] = [];
  const notes: string[] = [];
  for (const choice of choices) {
    const leftMs = Math.max(1, deadlineMs - Date.now());
    const folder = join(attempt, choice.name);
    const task = { run, snapshot, seed, choice };
    const result = await trainOn(task, {
      command,
      timeoutMs: leftMs,
      signal,
      folder,
      logFile,
    });
    if (result.candidate) trained.push(result.candidate);
    else if (trained.length === 0) return result;
    else notes.push(`Rows: training on ${namesOfRows[choice.name]} failed. ${result.failure}`);
  }
  const candidate = bestCandidate(snapshot, trained, run.settings.output.costs);
  return { candidate: { ...candidate, notes: [...candidate.notes, ...notes] }, failure: null };
}

/** Returns the choices of rows that can be trained on, the first one of all or of those wanted. */
export function choicesOfRows(
  snapshot: Snapshot,
  wanted: RunStart['settings']['retraining']['rows'],
  options: { drawsRows: boolean; seed: number },
): TrainRows[] {
  const { split, changedAt } = snapshot;
  return trainRows(split.train, changedAt, wanted, options).filter(
    choice => choice.name === 'all' || hasTwoLabels(snapshot, choice),
  );
}

function hasTwoLabels({ rows }: Snapshot, { range, drawn }: TrainRows): boolean {
  if (drawn !== null) return true;
  const labels = rows.slice(range.start, range.end).map(({ label }) => label);
  return labels.some(label => label !== labels[0]);
}

interface TrainingOfRows {
  run: RunStart;
  snapshot: Snapshot;
  seed: number;
  choice: TrainRows;
}

/** Trains on a choice of the rows, in a folder that it makes. */
async function trainOn(
  { run, snapshot, seed, choice }: TrainingOfRows,
  { folder, ...options }: RunTrainerOptions & { folder: string },
): Promise<TrainedCandidate> {
  const outputFolder = join(folder, outputFolderName);
  await mkdir(outputFolder, { recursive: true });
  await copyFile(snapshot.file, join(folder, datasetFile), constants.COPYFILE_FICLONE);
  const { model } = run.cause;
  const { costs } = run.settings.output;
  const task = trainingTask(snapshot, choice, { model, seed, outputFolder, costs });
  await writeFile(join(folder, taskFile), `${JSON.stringify(task, null, 2)}\n`);
  const failure = await runTrainer(folder, options);
  if (failure !== null) return { candidate: null, failure };
  return trainedCandidate(
    run,
    snapshot,
    { choice, task },
    { logFile: options.logFile, signal: options.signal, folder },
  );
}

/** Returns what a trainer is given. */
export function trainingTask(
  { id, meaning, classes, features, labelsAreNumbers, split }: Snapshot,
  { range, drawn }: TrainRows,
  {
    model,
    seed,
    outputFolder,
    costs,
  }: Pick<TrainingTask, 'model' | 'seed' | 'outputFolder' | 'costs'>,
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
    splits: { ...split, train: range },
    ...(drawn && { trainRows: drawn }),
    ...(costs && meaning.task !== 'regression' && { costs }),
    seed,
    outputFolder,
  };
}

/**
 * Reads what a trainer that succeeded has left. An ONNX model is asked for its answers, so that the
 * gates judge the model itself. They have to be those that the trainer says.
 * @param options.folder has what the trainer was given, and what it left
 */
export async function trainedCandidate(
  run: RunStart,
  snapshot: Snapshot,
  { choice, task }: { choice: TrainRows; task: TrainingTask },
  { folder, ...options }: TrainedFolder,
): Promise<TrainedCandidate> {
  const outputFolder = join(folder, outputFolderName);
  const trainedFolder = join(outputFolder, modelFolderName);
  const predictions = join(outputFolder, predictionsFile);
  if (!(await isFilledFolder(trainedFolder))) return nothingLeft(`${modelFolderName}/`);
  if (!(await isFile(predictions))) return nothingLeft(predictionsFile);
  const { rows, split } = snapshot;
  const given = await readOutputs(predictions, rows.length, split.gate);
  if (!given.outputs) return { candidate: null, failure: given.failure };
  const { outputs, failure } = (await isFile(join(trainedFolder, onnxFile)))
    ? await computedOutputs(given.outputs, snapshot, { folder, ...options })
    : given;
  if (!outputs) return { candidate: null, failure };
  const artifactChecksum = await folderChecksum(trainedFolder);
  const candidate = {
    trainedFolder,
    task,
    artifactUri: run.artifacts.uri(keptModelFolder(run, artifactChecksum)),
    artifactChecksum,
    outputs,
    trainRows: choice,
    notes: [],
  };
  return { candidate, failure: null };
}

/** Has an ONNX model answer to all rows. @returns its answers if they are those of the trainer */
async function computedOutputs(
  given: Map<number, RowOutput>,
  { rows, split }: Snapshot,
  { folder, ...options }: TrainedFolder,
): Promise<TrainerOutputs> {
  const failure = await runTrainer(folder, {
    ...options,
    ...{ command: onnxCommand, subject: onnxFile, timeoutMs: onnxTimeoutMs },
  });
  if (failure !== null) return { outputs: null, failure };
  const file = join(folder, outputFolderName, computedFile);
  const computed = await readOutputs(file, rows.length, split.gate);
  if (!computed.outputs) return computed;
  const mistake = parityMistake(given, computed.outputs);
  return mistake === null ? computed : { outputs: null, failure: mistake };
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
 * Keeps a candidate with its result and its model card.
 * @returns the result of the run, which may be that of another process (see `keepResult`)
 */
export function keepCandidate(
  { trainedFolder, task }: Candidate,
  card: string,
  result: RunResult,
  run: RunStart,
  attempt: string,
): Promise<RunResult> {
  const texts = { [keptTaskFile]: keptTask(task), [modelCardFile]: card };
  return keepResult({ trainedFolder, folder: join(attempt, 'kept'), texts }, result, run);
}

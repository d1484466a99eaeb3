import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { ClassLabel } from '../../shared/model/model.ts';
import type { Task } from '../../shared/task.ts';
import type { DataSplit } from '../dataset/dataSplit.ts';

/** Content of `task.json`: what a trainer is asked to do. Described in docs/trainers.md. */
export interface TrainingTask {
  model: string;
  /** datasets.id */
  datasetId: string;
  task: Task;
  /** Distinct values of the label column, of a binary task the positive one last; none for regression. */
  classes: ClassLabel[];
  /** Features to train on, each with its column in dataset.parquet. */
  features: { name: string; type: 'number' | 'text'; column: string }[];
  /** `label_value` where all labels are numbers, else `label` (text). */
  labelColumn: 'label' | 'label_value';
  /** Row ranges [start, end). */
  splits: DataSplit;
  /** For every random choice: the same data and seed shall give the same model. */
  seed: number;
  /** Folder that exists, where `model/` and `predictions.jsonl` are expected. */
  outputFolder: string;
}

export const taskFile = 'task.json';
export const datasetFile = 'dataset.parquet';
export const modelFolderName = 'model';
export const predictionsFile = 'predictions.jsonl';

export async function readTask(folder: string): Promise<TrainingTask> {
  return JSON.parse(await readFile(join(folder, taskFile), 'utf8'));
}

/** What the challenger says of one row. */
export interface RowOutput {
  /** The class as text, or null where it is no class. */
  prediction: string;
  /** The prediction, where it is a number. */
  predictionValue: number | null;
  score: number | null;
  probabilities: Record<string, number> | null;
}

/** A trainer that did not do what was asked; the message is the reason that is published. */
export class TrainerFailure extends Error {
  override name = 'TrainerFailure';
}

const longestLineCharacters = 100_000;
const finite = z.number();
const lineSchema = z.object({
  row: z.number().int().nonnegative(),
  prediction: z.union([z.string(), finite, z.boolean()]),
  score: finite.nullish(),
  probabilities: z.record(z.string(), finite).nullish(),
});

/**
 * Reads the outputs that a trainer left, by row.
 * @param rows number of rows of the dataset; outputs for the gate rows must be there, others may be
 * @throws TrainerFailure naming the first line or row that is wrong
 */
export async function readOutputs(
  file: string,
  rows: number,
  gate: { start: number; end: number },
): Promise<Map<number, RowOutput>> {
  const outputs = new Map<number, RowOutput>();
  let lineNumber = 0;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    lineNumber++;
    if (line.trim() === '') continue;
    const { row, output } = readLine(line, lineNumber);
    if (row >= rows)
      throw new TrainerFailure(
        `${predictionsFile}:${lineNumber}: row ${row}, but the dataset has ${rows} rows`,
      );
    if (outputs.has(row))
      throw new TrainerFailure(`${predictionsFile}:${lineNumber}: row ${row} is there twice`);
    outputs.set(row, output);
  }
  for (let row = gate.start; row < gate.end; row++) {
    if (!outputs.has(row))
      throw new TrainerFailure(
        `${predictionsFile}: no prediction for gate row ${row} (gate rows are ${gate.start} to ${gate.end - 1})`,
      );
  }
  return outputs;
}

function readLine(line: string, lineNumber: number): { row: number; output: RowOutput } {
  let content: unknown;
  try {
    content = JSON.parse(line.slice(0, longestLineCharacters));
  } catch (error) {
    throw new TrainerFailure(
      `${predictionsFile}:${lineNumber}: not JSON: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  const parsed = lineSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TrainerFailure(
      `${predictionsFile}:${lineNumber}: ${issue!.path.join('.') || 'line'}: ${issue!.message}`,
    );
  }
  const { row, prediction, score, probabilities } = parsed.data;
  return {
    row,
    output: {
      prediction: String(prediction),
      predictionValue: typeof prediction === 'number' ? prediction : null,
      score: score ?? null,
      probabilities: probabilities ?? null,
    },
  };
}

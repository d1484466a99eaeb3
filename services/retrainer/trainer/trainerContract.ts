import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Costs } from '../../shared/model/costs.ts';
import type { ClassLabel } from '../../shared/model/model.ts';
import type { Task } from '../../shared/task.ts';
import type { DataSplit, RowRange } from '../dataset/dataSplit.ts';

/** The content of `task.json`, which tells a trainer what to do. docs/trainers.md describes it. */
export interface TrainingTask {
  model: string;
  /** datasets.id */
  datasetId: string;
  task: Task;
  /**
   * Distinct values of the label column. The positive class of a binary task is last. Empty for a
   * regression.
   */
  classes: ClassLabel[];
  /** Features to train on, each with its column in dataset.parquet. */
  features: { name: string; type: 'number' | 'text'; column: string }[];
  /** `label_value` if all labels are numbers, else `label` (text). */
  labelColumn: 'label' | 'label_value';
  /** Row ranges [start, end). */
  splits: DataSplit;
  /** Rows to train on instead of each train row once, in ascending order, some several times. */
  trainRows?: number[];
  /** What a prediction costs, by truth and prediction (settings.output.costs), if that is set. */
  costs?: Costs;
  /** Seed of every random choice. The same data and seed should give the same model. */
  seed: number;
  /** An existing folder, in which `model/` and `predictions.jsonl` are expected. */
  outputFolder: string;
}

export const taskFile = 'task.json';
export const datasetFile = 'dataset.parquet';
export const modelFolderName = 'model';
export const predictionsFile = 'predictions.jsonl';
/** What a trainer leaves is in this folder of its folder. */
export const outputFolderName = 'output';
/** What the retrainer has computed itself with an ONNX model, beside the predictions. */
export const computedFile = 'computed.jsonl';

export async function readTask(folder: string): Promise<TrainingTask> {
  return JSON.parse(await readFile(join(folder, taskFile), 'utf8'));
}

/** What the challenger answers to one row. */
export interface RowOutput {
  /** The class or the number, as text. */
  prediction: string;
  /** The prediction if it is a number, or null. */
  predictionValue: number | null;
  score: number | null;
  probabilities: Record<string, number> | null;
}

/** The outputs that a trainer left by row, or the reason to publish if they cannot be used. */
export type TrainerOutputs =
  | { outputs: Map<number, RowOutput>; failure: null }
  | { outputs: null; failure: string };

const maxLineCharacters = 100_000;
const finite = z.number();
const lineSchema = z.object({
  row: z.number().int().nonnegative(),
  prediction: z.union([z.string(), finite, z.boolean()]),
  score: finite.nullish(),
  probabilities: z.record(z.string(), finite).nullish(),
});

/**
 * Reads the outputs that a trainer left. A failure names the first line or row that is wrong.
 * @param rows number of rows of the dataset
 * @param gate rows whose outputs must be there; those of other rows may be there
 */
export async function readOutputs(
  file: string,
  rows: number,
  gate: RowRange,
): Promise<TrainerOutputs> {
  const outputs = new Map<number, RowOutput>();
  let lineNumber = 0;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    lineNumber++;
    if (line.trim() === '') continue;
    const mistake = addLine(outputs, line, rows);
    if (mistake !== null) return failed(`${predictionsFile}:${lineNumber}: ${mistake}`);
  }
  for (let row = gate.start; row < gate.end; row++) {
    if (!outputs.has(row))
      return failed(
        `${predictionsFile}: there is no prediction for gate row ${row} ` +
          `(gate rows are ${gate.start} to ${gate.end - 1})`,
      );
  }
  return { outputs, failure: null };
}

function failed(failure: string): TrainerOutputs {
  return { outputs: null, failure };
}

/** Adds the output in a line. @returns what is wrong with the line, or null */
function addLine(outputs: Map<number, RowOutput>, line: string, rows: number): string | null {
  let content: unknown;
  try {
    content = JSON.parse(line.slice(0, maxLineCharacters));
  } catch (error) {
    return `the line is not JSON: ${(error as Error).message}`;
  }
  const parsed = lineSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `${issue!.path.join('.') || 'line'}: ${issue!.message}`;
  }
  const { row, prediction, score, probabilities } = parsed.data;
  if (row >= rows) return `the row is ${row}, but the dataset has ${rows} rows`;
  if (outputs.has(row)) return `row ${row} occurs twice`;
  outputs.set(row, {
    prediction: String(prediction),
    predictionValue: typeof prediction === 'number' ? prediction : null,
    score: score ?? null,
    probabilities: probabilities ?? null,
  });
  return null;
}

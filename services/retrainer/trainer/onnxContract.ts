import type { ClassLabel } from '../../shared/model/model.ts';
import type { DatasetRow } from '../dataset/dataset.ts';
import type { TrainingTask } from './trainerContract.ts';

/** Name of the model, in the folder of the model, that the retrainer asks itself. */
export const onnxFile = 'model.onnx';

/** A tensor, as onnxruntime has it. */
export interface OnnxTensor {
  type: string;
  data: readonly (number | bigint | string)[] | Float32Array | Float64Array | BigInt64Array;
  dims: readonly number[];
}

/** An input of a model. */
export interface OnnxInput {
  name: string;
  type: string;
}

type Feature = TrainingTask['features'][number];

/**
 * Returns what a model is given for some rows, by the name of the input. The inputs are the
 * features in the order of the task, one each, or one for all if all are numbers. A missing number
 * is NaN, and a missing text is ''.
 * @throws Error that says which input is another one
 */
export function onnxInputs(
  inputs: readonly OnnxInput[],
  features: readonly Feature[],
  rows: readonly DatasetRow[],
): Record<string, OnnxTensor> {
  const [first] = inputs;
  if (inputs.length === 1 && features.length > 1) {
    const text = features.find(({ type }) => type === 'text');
    if (text)
      throw new Error(
        `the model has one input for all features, but feature ${text.name} is a text`,
      );
    return { [first!.name]: tensor(first!, features, rows) };
  }
  if (inputs.length !== features.length)
    throw new Error(
      `the model has ${inputs.length} inputs, but the task has ${features.length} features`,
    );
  return Object.fromEntries(
    inputs.map((input, index) => [input.name, tensor(input, [features[index]!], rows)]),
  );
}

function tensor(
  { name, type }: OnnxInput,
  features: readonly Feature[],
  rows: readonly DatasetRow[],
): OnnxTensor {
  const isText = features[0]!.type === 'text';
  const numbers = { float32: Float32Array, float64: Float64Array }[type];
  if (isText ? type !== 'string' : numbers === undefined)
    throw new Error(
      `the model has input ${name} of type ${type}, expected ${isText ? 'string' : 'float32 or float64'} for feature ${features[0]!.name}`,
    );
  const values = rows.flatMap(row => features.map(feature => row.features[feature.name]));
  const dims = [rows.length, features.length];
  if (isText) return { type, dims, data: values.map(value => String(value ?? '')) };
  const read = values.map(value => (typeof value === 'number' ? value : Number.NaN));
  return { type, dims, data: numbers!.from(read) };
}

/** What a model says to a row, as a line of `predictions.jsonl` without its row. */
export interface OnnxAnswer {
  prediction: string | number;
  score?: number;
  probabilities?: Record<string, number>;
}

/**
 * Reads what a model answers: a number for each row of a regression; otherwise the class, and then
 * its probabilities, in the ascending order of the classes, as scikit-learn has them.
 * @param outputs in the order of the model
 * @throws Error that says which output is another one
 */
export function onnxAnswers(
  outputs: readonly OnnxTensor[],
  { task, classes }: Pick<TrainingTask, 'task' | 'classes'>,
  rows: number,
): OnnxAnswer[] {
  const [first, second] = outputs;
  if (first?.data.length !== rows)
    throw new Error(`the model answers ${first?.data.length ?? 0} times to ${rows} rows`);
  const values = Array.from(first.data as ArrayLike<number | bigint | string>);
  if (task === 'regression') return values.map(value => ({ prediction: Number(value) }));
  const shares = second && Array.from(second.data as ArrayLike<number>, Number);
  if (shares && shares.length !== rows * classes.length)
    throw new Error(
      `the model gives ${shares.length / rows} probabilities to a row, but the task has ${classes.length} classes`,
    );
  const names = ascending(classes);
  const positive = String(classes.at(-1));
  return values.map((value, row) => {
    const prediction = String(value);
    if (!shares) return { prediction };
    const probabilities = Object.fromEntries(
      names.map((name, index) => [name, shares[row * names.length + index]!]),
    );
    return {
      prediction,
      ...(task === 'binary' && { score: probabilities[positive]! }),
      probabilities,
    };
  });
}

function ascending(classes: readonly ClassLabel[]): string[] {
  const sorted = [...classes].sort((one, other) => (one < other ? -1 : 1));
  return sorted.map(String);
}

import type { LayersModel } from '@tensorflow/tfjs';
import type { Task } from '../task.ts';
import { encodeRows, type FeatureEncoder, type FeatureRow } from './featureEncoder.ts';
import { loadTensorflow, type Tensorflow } from './tensorflow.ts';

/** A class is a number where the labels that were logged are numbers. */
export type ClassLabel = string | number;

/** What a network's numbers mean. */
export interface ModelDescription {
  task: Task;
  /** Classes in the order of the network's outputs; of a binary model the positive one is last. Empty for regression. */
  classes: ClassLabel[];
  encoder: FeatureEncoder;
  /** Regression: labels were standardised with these. */
  labelScale: { mean: number; deviation: number };
}

export interface Model extends ModelDescription {
  layers: LayersModel;
}

export interface ModelOutput {
  /** The class, or the number. */
  prediction: ClassLabel;
  /** Binary models: probability of the positive class. */
  score?: number;
  /** Probability per class; they sum to 1. */
  probabilities?: Record<string, number>;
}

/** Rows of one step through the network: bounds the memory. */
const rowsPerStep = 4096;

/** The outputs of a model for rows of features, in their order. */
export async function predict(model: Model, rows: readonly FeatureRow[]): Promise<ModelOutput[]> {
  const { tf } = await loadTensorflow();
  const outputs: ModelOutput[] = [];
  for (let start = 0; start < rows.length; start += rowsPerStep) {
    const step = rows.slice(start, start + rowsPerStep);
    const raw = networkOutputs(
      tf,
      model.layers,
      encodeRows(model.encoder, step),
      model.encoder.width,
    );
    const perRow = raw.length / step.length;
    for (let row = 0; row < step.length; row++)
      outputs.push(toOutput(model, raw.subarray(row * perRow, (row + 1) * perRow)));
  }
  return outputs;
}

/** @returns rows × outputs of the last layer, row by row */
export function networkOutputs(
  tf: Tensorflow,
  layers: LayersModel,
  encoded: Float32Array,
  width: number,
): Float32Array {
  return tf.tidy(() => {
    const inputs = tf.tensor2d(encoded, [encoded.length / width, width]);
    return (
      layers.predict(inputs, { batchSize: rowsPerStep }) as TensorflowTensor
    ).dataSync() as Float32Array;
  });
}
type TensorflowTensor = ReturnType<Tensorflow['tensor2d']>;

function toOutput({ task, classes, labelScale }: ModelDescription, raw: Float32Array): ModelOutput {
  if (task === 'regression')
    return { prediction: raw[0]! * labelScale.deviation + labelScale.mean };
  const shares = task === 'binary' ? [1 - raw[0]!, raw[0]!] : Array.from(raw);
  let best = 0;
  for (const [index, share] of shares.entries()) if (share > shares[best]!) best = index;
  return {
    prediction: classes[best]!,
    ...(task === 'binary' && { score: shares[1]! }),
    probabilities: Object.fromEntries(classes.map((name, index) => [name, shares[index]!])),
  };
}

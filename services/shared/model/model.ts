import type { LayersModel } from '@tensorflow/tfjs';
import type { Task } from '../task.ts';
import { type Costs, cheapestClass } from './costs.ts';
import { encodeRows, type FeatureEncoder, type FeatureRow } from './featureEncoder.ts';
import { loadTensorflow, type Tensorflow } from './tensorflow.ts';

/** A class is a number where the labels that were logged are numbers. */
export type ClassLabel = string | number;

/** The meaning of the inputs and outputs of a network. */
export interface ModelDescription {
  task: Task;
  /**
   * The classes in the order of the network's outputs. In a binary model the positive class is
   * last. Empty for regression.
   */
  classes: ClassLabel[];
  encoder: FeatureEncoder;
  /**
   * The mean and deviation with which the labels of a regression were standardised; 0 and 1 for
   * classes.
   */
  labelScale: { mean: number; deviation: number };
  /** By which the predicted class is chosen. Null: the most probable class is predicted. */
  costs: Costs | null;
}

/** A trained network with the meaning of its numbers. */
export interface Model extends ModelDescription {
  layers: LayersModel;
}

/** The prediction for one row. */
export interface ModelOutput {
  /** The most probable class, or the one that costs least on the mean, or the number. */
  prediction: ClassLabel;
  /** The probability of the positive class, in a binary model. */
  score?: number;
  /** The probability of each class; they sum to 1. Absent for regression. */
  probabilities?: Record<string, number>;
}

/** Rows that go through the network at a time, which bounds the memory. */
const rowsPerStep = 4096;

/** Returns the outputs of a model for rows of features, in their order. */
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

/**
 * Runs encoded rows through a network. Returns rows × outputs of its last layer, row by row.
 *
 * @param encoded rows × `width` numbers (`encodeRows`)
 */
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

function toOutput(
  { task, classes, labelScale, costs }: ModelDescription,
  raw: Float32Array,
): ModelOutput {
  if (task === 'regression')
    return { prediction: raw[0]! * labelScale.deviation + labelScale.mean };
  const shares = task === 'binary' ? [1 - raw[0]!, raw[0]!] : Array.from(raw);
  const chosen = costs
    ? cheapestClass(costs, classes, shares)
    : shares.indexOf(Math.max(...shares));
  return {
    prediction: classes[chosen]!,
    ...(task === 'binary' && { score: shares[1]! }),
    probabilities: Object.fromEntries(classes.map((name, index) => [name, shares[index]!])),
  };
}

import type { LayersModel, Sequential } from '@tensorflow/tfjs';
import type { Task } from '../task.ts';
import type { Costs } from './costs.ts';
import { encodeRows, type FeatureRow, fitEncoder, meanAndDeviation } from './featureEncoder.ts';
import { type ClassLabel, type Model, type ModelDescription, networkOutputs } from './model.ts';
import { costsOfRareClass } from './rareClass.ts';
import { randomPermutation, seededRandom } from './seededRandom.ts';
import { loadTensorflow, type Tensorflow } from './tensorflow.ts';

/** Rows of features with what turned out to be true for them. */
export interface LabelledRows {
  features: FeatureRow[];
  /** One class, or number for regression, for each row. */
  labels: ClassLabel[];
}

export interface TrainingOptions {
  task: Task;
  /** As in `ModelDescription`. */
  classes: ClassLabel[];
  /** The names of the features to use. */
  features: string[];
  /** The rows on which weights are fitted. */
  train: LabelledRows;
  /** The rows that decide when training stops. */
  select: LabelledRows;
  /** An integer from 0 to 2^31 − 1. */
  seed: number;
  /** What predictions cost, by which the model chooses the class that it predicts. */
  costs?: Costs | undefined;
  /** Called and awaited after every epoch, so that other work of the process can run. */
  afterEpoch?: () => Promise<void>;
}

const hiddenUnits = [32, 16];
const l2 = 1e-4;
const learningRate = 0.005;
const maxBatchRows = 128;
const minBatchRows = 16;
/** Few rows are taken in smaller batches, because the weights need some hundreds of steps. */
const minBatchesPerEpoch = 16;
const maxEpochs = 60;
/** Training ends after this many epochs without a better loss on the select rows. */
const patienceEpochs = 6;
/**
 * Probabilities are kept this far from 0 and 1, so that one confident mistake does not make the
 * loss infinite.
 */
const minProbability = 1e-7;
/** The encoded inputs of all rows are kept in memory, 4 bytes each, 1.6 GB at most. */
const maxEncodedNumbers = 400_000_000;

/**
 * Trains a small dense network: standardised inputs, two hidden layers, L2 regularisation, Adam
 * (Kingma, Ba, ICLR 2015), and early stopping on the select rows. The weights are those of the best
 * epoch.
 *
 * The result is bit-identical for the same rows, seed and backend. To that end initialisers are
 * seeded, and the order of rows is drawn here, because `fit` would shuffle with Math.random. The
 * loop of epochs is here as well, because TensorFlow.js does not implement restoreBestWeights.
 *
 * The model predicts the class that costs least. Without costs that is the most probable one, and
 * in a binary model with a rare class the one that `costsOfRareClass` says.
 *
 * @returns the model, with the number of its epoch and its loss on the select rows
 * @throws Error if there is no feature, or if the encoded rows do not fit into memory
 */
export async function trainModel(
  options: TrainingOptions,
): Promise<Model & { epochs: number; selectLoss: number }> {
  const { tf } = await loadTensorflow();
  const { task, classes, train, select, seed } = options;
  const encoder = fitEncoder(train.features, options.features);
  if (encoder.width === 0) throw new Error('no features to train on');
  if (encoder.width * train.features.length > maxEncodedNumbers) {
    throw new Error(
      `${train.features.length} rows with ${encoder.width} encoded inputs do not fit into memory`,
    );
  }
  const labelScale =
    task === 'regression' ? meanAndDeviation(train.labels.map(Number)) : { mean: 0, deviation: 1 };
  const description = { task, classes, encoder, labelScale };
  const layers = network(tf, description, seed);

  const inputs = encodeRows(encoder, train.features);
  const targets = encodeLabels(description, train.labels);
  const selectInputs = encodeRows(encoder, select.features);
  const selectTargets = encodeLabels(description, select.labels);
  const random = seededRandom(seed);
  let best = { loss: Number.POSITIVE_INFINITY, epoch: 0, weights: copyWeights(layers) };
  let epoch = 0;
  while (epoch < maxEpochs && epoch - best.epoch < patienceEpochs) {
    epoch++;
    await trainEpoch(tf, layers, inputs, targets, randomPermutation(train.labels.length, random));
    const loss = meanLoss(
      task,
      networkOutputs(tf, layers, selectInputs, encoder.width),
      selectTargets,
    );
    if (loss < best.loss) best = { loss, epoch, weights: copyWeights(layers) };
    await options.afterEpoch?.();
  }
  restoreWeights(tf, layers, best.weights);
  layers.optimizer.dispose();
  const probabilities = [inputs, selectInputs].flatMap(encoded => [
    ...networkOutputs(tf, layers, encoded, encoder.width),
  ]);
  const labels = [...train.labels, ...select.labels];
  const ofRareClass = task === 'binary' ? costsOfRareClass(classes, probabilities, labels) : null;
  const costs = options.costs ?? ofRareClass;
  return { ...description, layers, costs, epochs: best.epoch, selectLoss: best.loss };
}

function network(
  tf: Tensorflow,
  { task, classes, encoder }: Omit<ModelDescription, 'costs'>,
  seed: number,
): Sequential {
  const layers = tf.sequential({ name: 'driftloop' });
  const outputs = task === 'multiclass' ? classes.length : 1;
  const outputActivation =
    task === 'multiclass' ? 'softmax' : task === 'binary' ? 'sigmoid' : 'linear';
  for (const [index, units] of [...hiddenUnits, outputs].entries()) {
    const isOutput = index === hiddenUnits.length;
    layers.add(
      tf.layers.dense({
        // The names that TensorFlow.js gives depend on the models that the process made before.
        name: isOutput ? 'output' : `hidden_${index + 1}`,
        units,
        activation: isOutput ? outputActivation : 'relu',
        kernelInitializer: tf.initializers.glorotUniform({ seed: seed + index }),
        kernelRegularizer: tf.regularizers.l2({ l2 }),
        ...(index === 0 && { inputShape: [encoder.width] }),
      }),
    );
  }
  const loss =
    task === 'multiclass'
      ? 'categoricalCrossentropy'
      : task === 'binary'
        ? 'binaryCrossentropy'
        : 'meanSquaredError';
  layers.compile({ optimizer: tf.train.adam(learningRate), loss });
  return layers;
}

/**
 * Encodes labels as rows × outputs numbers: 0 or 1 for each class (in a binary model for the
 * positive class alone), or the standardised number. A label that is not one of the classes becomes
 * zeros.
 */
function encodeLabels(
  { task, classes, labelScale }: Omit<ModelDescription, 'costs'>,
  labels: readonly ClassLabel[],
): Float32Array {
  if (task === 'regression')
    return Float32Array.from(
      labels,
      label => (Number(label) - labelScale.mean) / labelScale.deviation,
    );
  if (task === 'binary')
    return Float32Array.from(labels, label => (label === classes.at(-1) ? 1 : 0));
  const columns = new Map(classes.map((name, column) => [name, column]));
  const encoded = new Float32Array(labels.length * classes.length);
  for (const [row, label] of labels.entries()) {
    const column = columns.get(label);
    if (column !== undefined) encoded[row * classes.length + column] = 1;
  }
  return encoded;
}

async function trainEpoch(
  tf: Tensorflow,
  layers: LayersModel,
  inputs: Float32Array,
  targets: Float32Array,
  order: Uint32Array,
): Promise<void> {
  const width = inputs.length / order.length;
  const outputs = targets.length / order.length;
  const wanted = Math.ceil(order.length / minBatchesPerEpoch);
  const batchRows = Math.min(maxBatchRows, Math.max(minBatchRows, wanted));
  for (let start = 0; start < order.length; start += batchRows) {
    const batch = order.subarray(start, start + batchRows);
    const x = tf.tensor2d(gatherRows(inputs, width, batch), [batch.length, width]);
    const y = tf.tensor2d(gatherRows(targets, outputs, batch), [batch.length, outputs]);
    await layers.trainOnBatch(x, y);
    x.dispose();
    y.dispose();
  }
}

function gatherRows(table: Float32Array, width: number, rows: Uint32Array): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries())
    gathered.set(table.subarray(row * width, (row + 1) * width), index * width);
  return gathered;
}

/**
 * Returns the mean log-loss in nats, or the mean squared error of standardised labels; Infinity in
 * place of NaN.
 */
function meanLoss(task: Task, outputs: Float32Array, targets: Float32Array): number {
  let sum = 0;
  let rows = 0;
  for (const [index, target] of targets.entries()) {
    const output = outputs[index]!;
    const share = Math.max(minProbability, Math.min(1 - minProbability, output));
    if (task === 'regression') sum += (output - target) ** 2;
    else if (task === 'binary') sum -= target === 1 ? Math.log(share) : Math.log(1 - share);
    else if (target === 1) sum -= Math.log(share);
    rows++;
  }
  const mean = sum / Math.max(1, rows);
  return Number.isNaN(mean) ? Number.POSITIVE_INFINITY : mean;
}

function copyWeights(layers: LayersModel): { shape: number[]; values: Float32Array }[] {
  return layers
    .getWeights()
    .map(weight => ({ shape: weight.shape, values: Float32Array.from(weight.dataSync()) }));
}

function restoreWeights(
  tf: Tensorflow,
  layers: LayersModel,
  weights: { shape: number[]; values: Float32Array }[],
): void {
  tf.tidy(() => layers.setWeights(weights.map(({ shape, values }) => tf.tensor(values, shape))));
}

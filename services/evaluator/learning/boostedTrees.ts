import { type CodedFeature, growTree, type RegressionTree, treeValue } from './regressionTree.ts';

/** A mean, and trees whose values are added to it. */
export interface BoostedTrees {
  mean: number;
  trees: RegressionTree[];
}

/** Models of one target, each learned without one block of the records (cross-fitting). */
export interface CrossFit {
  models: BoostedTrees[];
  /** For each record, the prediction of the model that was learned without it. */
  heldOut: Float64Array;
  bytes: number;
}

const blockCount = 5;
/**
 * The defaults of LightGBM. Fewer trees predict single records better, but pull the averages that
 * are wanted here towards the mean.
 */
const treeCount = 100;
const learningRate = 0.1;
const maxLeaves = 31;
const minRecordsPerLeaf = 20;
const bytesPerTree = 200;

/**
 * Learns one model for each of five blocks of the records, from the other four blocks. A model can
 * take a quarter of a second, so the generator yields after each of them, and its caller can let
 * other work run in between.
 *
 * @param targets one per record in the order of time, at least two
 *
 * O(records · features · trees · depth).
 */
export function* crossFit(
  features: readonly CodedFeature[],
  targets: Float64Array,
): Generator<void, CrossFit> {
  const heldOut = new Float64Array(targets.length);
  const models: BoostedTrees[] = [];
  for (let block = 0; block < blockCount; block++) {
    const from = Math.floor((block * targets.length) / blockCount);
    const to = Math.floor(((block + 1) * targets.length) / blockCount);
    const rows = Uint32Array.from({ length: targets.length - (to - from) }, (_, row) =>
      row < from ? row : row + to - from,
    );
    const model = boostTrees(features, rows, targets);
    heldOut.set(boostedValues(model, features, from, to), from);
    models.push(model);
    yield;
  }
  const bytes = models
    .flatMap(({ trees }) => trees)
    .reduce((sum, { byteLength }) => sum + byteLength + bytesPerTree, heldOut.byteLength);
  return { models, heldOut, bytes };
}

/**
 * Learns a model by gradient boosting for squared loss. Each tree learns the residuals of the trees
 * before it, and a tenth of its value is added.
 *
 * Friedman, "Greedy Function Approximation", Annals of Statistics 29 (2001), algorithm 2.
 *
 * @param rows records to learn from, at least one; the array is reordered
 * @param targets one per record
 */
export function boostTrees(
  features: readonly CodedFeature[],
  rows: Uint32Array,
  targets: Float64Array,
): BoostedTrees {
  const mean = rows.reduce((sum, row) => sum + targets[row]!, 0) / rows.length;
  const residuals = targets.map(target => target - mean);
  const trees = Array.from({ length: treeCount }, () => {
    const tree = growTree(features, rows, residuals, maxLeaves, minRecordsPerLeaf);
    for (const row of rows) residuals[row]! -= learningRate * treeValue(tree, features, row);
    return tree;
  });
  return { mean, trees };
}

/**
 * Returns the predictions of a model for the records `from` to `to - 1`. O(records · trees ·
 * depth).
 */
export function boostedValues(
  { mean, trees }: BoostedTrees,
  features: readonly CodedFeature[],
  from: number,
  to: number,
): Float64Array {
  const values = new Float64Array(to - from);
  // One tree at a time, because all trees of a model together do not fit into the processor's
  // cache.
  for (const tree of trees)
    for (let row = from; row < to; row++) values[row - from]! += treeValue(tree, features, row);
  return values.map(value => mean + learningRate * value);
}

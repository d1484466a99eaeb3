import { setImmediate } from 'node:timers/promises';
import { type CodedFeature, growTree, type RegressionTree, treeValue } from './regressionTree.ts';

/** A mean, and trees whose values are added to it. */
export interface BoostedTrees {
  mean: number;
  trees: RegressionTree[];
}

/** Models of one target, each learned without one block of the records. */
export interface CrossFit {
  models: BoostedTrees[];
  /** Of each record, what the model that was learned without it predicts. */
  heldOut: Float64Array;
  bytes: number;
}

const blocks = 5;
/** As LightGBM comes: fewer trees predict single records better, but draw what is averaged here to the mean. */
const treeCount = 100;
const learningRate = 0.1;
const mostLeaves = 31;
const leastRecords = 20;
const bytesPerTree = 200;

/**
 * One model for each of five blocks of the records, learned without the block. Others have their turn between two of them, as one can take
 * a quarter of a second.
 *
 * @param targets of the records in the order of time, at least two. O(records · features · trees · depth)
 */
export async function crossFit(
  features: readonly CodedFeature[],
  targets: Float64Array,
): Promise<CrossFit> {
  const heldOut = new Float64Array(targets.length);
  const models: BoostedTrees[] = [];
  for (let block = 0; block < blocks; block++) {
    const from = Math.floor((block * targets.length) / blocks);
    const to = Math.floor(((block + 1) * targets.length) / blocks);
    const rows = Uint32Array.from({ length: targets.length - (to - from) }, (_, row) =>
      row < from ? row : row + to - from,
    );
    const model = boostTrees(features, rows, targets);
    heldOut.set(boostedValues(model, features, from, to), from);
    models.push(model);
    await setImmediate();
  }
  const bytes = models
    .flatMap(({ trees }) => trees)
    .reduce((sum, { byteLength }) => sum + byteLength + bytesPerTree, heldOut.byteLength);
  return { models, heldOut, bytes };
}

/**
 * Gradient boosting for squared loss: each tree learns what those before it left over, and a tenth of it is added.
 * Friedman, "Greedy Function Approximation", Annals of Statistics 29 (2001), algorithm 2.
 *
 * @param rows records to learn from, at least one; they are reordered
 * @param targets by record
 */
export function boostTrees(
  features: readonly CodedFeature[],
  rows: Uint32Array,
  targets: Float64Array,
): BoostedTrees {
  const mean = rows.reduce((sum, row) => sum + targets[row]!, 0) / rows.length;
  const left = targets.map(target => target - mean);
  const trees = Array.from({ length: treeCount }, () => {
    const tree = growTree(features, rows, left, mostLeaves, leastRecords);
    for (const row of rows) left[row]! -= learningRate * treeValue(tree, features, row);
    return tree;
  });
  return { mean, trees };
}

/** What a model predicts for the records from one up to another. O(records · trees · depth). */
export function boostedValues(
  { mean, trees }: BoostedTrees,
  features: readonly CodedFeature[],
  from: number,
  to: number,
): Float64Array {
  const values = new Float64Array(to - from);
  // Tree by tree: all trees of a model are more than a processor keeps at hand.
  for (const tree of trees)
    for (let row = from; row < to; row++) values[row - from]! += treeValue(tree, features, row);
  return values.map(value => mean + learningRate * value);
}

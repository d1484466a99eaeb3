/** The values of a feature of many records, as numbers of bins. */
export interface CodedFeature {
  /** Bin of each record. */
  codes: Uint8Array;
  /** At most 53 if no bins are ordered. */
  binCount: number;
  /** Number of the first bins, which are in the order of their values. The others have no order. */
  ordered: number;
}

/**
 * Four numbers per node, with the root first.
 *
 * A branch has the index of its feature; the bins that go to the left (if the feature has ordered
 * bins, those below this number, else the sum of 2^bin); 1 if the unordered bins beside ordered
 * ones go to the left, else 0; and the node number of its left child, which the right child
 * follows.
 *
 * A leaf has -1, 0, 0 and its prediction.
 */
export type RegressionTree = Float64Array;
const numbersPerNode = 4;

const powersOfTwo = Array.from({ length: 53 }, (_, power) => 2 ** power);

/** Sums of targets and counts of records by bin, for all features one after the other. */
interface Histogram {
  sums: Float64Array;
  counts: Float64Array;
}

/** Sum of the targets of a node's records, and their count. */
interface NodeTotals {
  sum: number;
  count: number;
  minRecordsPerLeaf: number;
}

interface Split {
  /** Amount by which the split lowers the sum of squared errors. */
  gain: number;
  feature: number;
  left: number;
  besideIsLeft: number;
}

interface Leaf {
  node: number;
  /** The records in the leaf, a part of the array of all. */
  rows: Uint32Array;
  /** Null if the leaf has too few records for a split. */
  histogram: Histogram | null;
  split: Split | null;
}

/**
 * Grows a tree that predicts the mean target of similar records. The tree grows leaf by leaf, each
 * time by the split that lowers the squared error most. Splits are found on histograms of bins; the
 * histogram of a larger child is that of its parent less that of the smaller child.
 *
 * Values without order are split as if they were ordered by their mean target, which contains the
 * best split (Fisher, JASA 53, 1958). If a feature has both kinds of values, those without order
 * all go to one side. A bin that a node has not seen goes to its larger side. Of equally good
 * splits the one of the first feature and the lowest bins is taken.
 *
 * Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees", 1984; Ke et al.,
 * "LightGBM", NIPS 2017. O(records · features · depth).
 *
 * @param rows records to learn from, at least one; the array is reordered
 * @param targets one per record
 */
export function growTree(
  features: readonly CodedFeature[],
  rows: Uint32Array,
  targets: Float64Array,
  maxLeaves: number,
  minRecordsPerLeaf: number,
): RegressionTree {
  const tree: number[] = [];
  const histogramOfRows = (of: Uint32Array) => histogramOf(features, of, targets);

  function grow(node: number, of: Uint32Array, histogram: () => Histogram): Leaf {
    let sum = 0;
    for (let index = 0; index < of.length; index++) sum += targets[of[index]!]!;
    setNode(tree, node, [-1, 0, 0, sum / of.length]);
    if (of.length < 2 * minRecordsPerLeaf) return { node, rows: of, histogram: null, split: null };
    const known = histogram();
    const split = bestSplit(features, known, { sum, count: of.length, minRecordsPerLeaf });
    return { node, rows: of, histogram: known, split };
  }

  const leaves = [grow(0, rows, () => histogramOfRows(rows))];
  while (leaves.length < maxLeaves) {
    const leaf = leaves.reduce((best, other) =>
      (other.split?.gain ?? 0) > (best.split?.gain ?? 0) ? other : best,
    );
    if (leaf.split === null) break;
    const { feature, left, besideIsLeft } = leaf.split;
    const child = tree.length / numbersPerNode;
    setNode(tree, leaf.node, [feature, left, besideIsLeft, child]);
    const leftCount = partition(leaf.rows, features[feature]!, left, besideIsLeft);
    const parts = [leaf.rows.subarray(0, leftCount), leaf.rows.subarray(leftCount)] as const;
    const smaller = Number(parts[1].length < parts[0].length);
    const ofSmaller = histogramOfRows(parts[smaller]!);
    const ofPart = (side: number) =>
      side === smaller ? ofSmaller : difference(leaf.histogram!, ofSmaller);
    const children = parts.map((part, side) => grow(child + side, part, () => ofPart(side)));
    leaves.splice(leaves.indexOf(leaf), 1, ...children);
  }
  return Float64Array.from(tree);
}

/** Returns the prediction of a tree for a record. O(depth). */
export function treeValue(
  tree: RegressionTree,
  features: readonly CodedFeature[],
  row: number,
): number {
  let at = 0;
  while (tree[at]! >= 0) {
    const { codes, ordered } = features[tree[at]!]!;
    const right = isLeft(codes[row]!, ordered, tree[at + 1]!, tree[at + 2]!) ? 0 : 1;
    at = numbersPerNode * (tree[at + 3]! + right);
  }
  return tree[at + 3]!;
}

function isLeft(bin: number, ordered: number, left: number, besideIsLeft: number): boolean {
  if (bin < ordered) return bin < left;
  return ordered > 0 ? besideIsLeft === 1 : Math.floor(left / powersOfTwo[bin]!) % 2 === 1;
}

function setNode(tree: number[], node: number, numbers: readonly number[]): void {
  for (const [index, number] of numbers.entries()) tree[numbersPerNode * node + index] = number;
}

function histogramOf(
  features: readonly CodedFeature[],
  rows: Uint32Array,
  targets: Float64Array,
): Histogram {
  const bins = features.reduce((sum, { binCount }) => sum + binCount, 0);
  const sums = new Float64Array(bins);
  const counts = new Float64Array(bins);
  let offset = 0;
  for (const { codes, binCount } of features) {
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      const bin = offset + codes[row]!;
      sums[bin]! += targets[row]!;
      counts[bin]!++;
    }
    offset += binCount;
  }
  return { sums, counts };
}

function difference(whole: Histogram, part: Histogram): Histogram {
  const sums = new Float64Array(whole.sums.length);
  const counts = new Float64Array(whole.sums.length);
  for (let bin = 0; bin < sums.length; bin++) {
    sums[bin] = whole.sums[bin]! - part.sums[bin]!;
    counts[bin] = whole.counts[bin]! - part.counts[bin]!;
  }
  return { sums, counts };
}

/** Moves the records of the left side before the others. @returns the number of the former */
function partition(
  rows: Uint32Array,
  { codes, ordered }: CodedFeature,
  left: number,
  besideIsLeft: number,
): number {
  const others: number[] = [];
  let count = 0;
  for (const row of rows) {
    if (isLeft(codes[row]!, ordered, left, besideIsLeft)) rows[count++] = row;
    else others.push(row);
  }
  rows.set(others, count);
  return count;
}

function bestSplit(
  features: readonly CodedFeature[],
  { sums, counts }: Histogram,
  node: NodeTotals,
): Split | null {
  let best: Split | null = null;
  let offset = 0;
  for (let feature = 0; feature < features.length; feature++) {
    const { binCount, ordered } = features[feature]!;
    const end = offset + binCount;
    const split = splitOf(
      ordered,
      sums.subarray(offset, end),
      counts.subarray(offset, end),
      node,
      best?.gain ?? 0,
    );
    if (split !== null) best = { feature, ...split };
    offset = end;
  }
  return best;
}

/**
 * Returns the best split of one feature between two of its bins in their order, or null if none
 * gains more than `minGain`.
 */
function splitOf(
  ordered: number,
  sums: Float64Array,
  counts: Float64Array,
  { sum, count, minRecordsPerLeaf }: NodeTotals,
  minGain: number,
): Omit<Split, 'feature'> | null {
  const { order, beside } = binsInOrder(ordered, sums, counts);
  const besideSum = beside.reduce((total, bin) => total + sums[bin]!, 0);
  const besideCount = beside.reduce((total, bin) => total + counts[bin]!, 0);
  const best = { gain: minGain, place: -1, besideIsLeft: 0, leftCount: 0 };
  let sumBefore = 0;
  let countBefore = 0;
  for (let place = 0; place < order.length; place++) {
    const bin = order[place]!;
    if (counts[bin] === 0) continue;
    sumBefore += sums[bin]!;
    countBefore += counts[bin]!;
    for (let besideIsLeft = 0; besideIsLeft <= Number(besideCount > 0); besideIsLeft++) {
      const leftCount = countBefore + besideIsLeft * besideCount;
      if (leftCount < minRecordsPerLeaf || count - leftCount < minRecordsPerLeaf) continue;
      const leftSum = sumBefore + besideIsLeft * besideSum;
      const gain =
        leftSum ** 2 / leftCount + (sum - leftSum) ** 2 / (count - leftCount) - sum ** 2 / count;
      if (gain > best.gain) Object.assign(best, { gain, place, besideIsLeft, leftCount });
    }
  }
  if (best.place === -1) return null;
  const leftIsLarger = 2 * best.leftCount > count;
  const besideIsLeft = besideCount > 0 ? best.besideIsLeft : Number(leftIsLarger);
  if (ordered > 0) return { gain: best.gain, left: order[best.place]! + 1, besideIsLeft };
  const seen = order.slice(0, best.place + 1);
  const unseen = leftIsLarger ? [...counts.keys()].filter(bin => counts[bin] === 0) : [];
  return {
    gain: best.gain,
    left: [...seen, ...unseen].reduce((set, bin) => set + 2 ** bin, 0),
    besideIsLeft,
  };
}

/**
 * Returns the bins in the order in which they are split, and those that are kept together. Bins
 * without order are listed only if they occur.
 */
function binsInOrder(
  ordered: number,
  sums: Float64Array,
  counts: Float64Array,
): { order: number[]; beside: number[] } {
  const unordered: number[] = [];
  for (let bin = ordered; bin < counts.length; bin++) if (counts[bin]! > 0) unordered.push(bin);
  if (ordered > 0)
    return { order: Array.from({ length: ordered }, (_, bin) => bin), beside: unordered };
  const mean = (bin: number) => sums[bin]! / counts[bin]!;
  return {
    order: unordered.sort((one, other) => mean(one) - mean(other) || one - other),
    beside: [],
  };
}

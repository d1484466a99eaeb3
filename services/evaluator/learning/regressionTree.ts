/** A feature of many records, in bins of its values. */
export interface CodedFeature {
  /** Bin of each record. */
  codes: Uint8Array;
  /** Where no bins are ordered, at most 53. */
  binCount: number;
  /** The first so many bins are in the order of their values, each of the others stands for itself. */
  ordered: number;
}

/**
 * Four numbers per node, the root first. A branch: its feature; which bins go to the left, where the feature has ordered bins those below this one,
 * else the sum of 2^bin; whether the left (1) or the right (0) has the bins beside the ordered ones; the place of its left child, that
 * of the right is the next. A leaf: -1, 0, 0, the prediction.
 */
export type RegressionTree = Float64Array;
const perNode = 4;

const powersOfTwo = Array.from({ length: 53 }, (_, power) => 2 ** power);

/** Sums of targets and counts of records by bin, those of all features one after the other. */
interface Histogram {
  sums: Float64Array;
  counts: Float64Array;
}

/** Of the records of a node. */
interface NodeTotals {
  sum: number;
  count: number;
  leastRecords: number;
}

interface Split {
  /** By how much it lowers the sum of squared errors. */
  gain: number;
  feature: number;
  left: number;
  besideIsLeft: number;
}

interface Leaf {
  node: number;
  /** Its part of all records. */
  rows: Uint32Array;
  /** null: too few records to split. */
  histogram: Histogram | null;
  split: Split | null;
}

/**
 * A tree that predicts the mean target of records alike. It grows leaf by leaf, always by the split that lowers the squared error most, which is
 * found on histograms of bins; that of a larger child is its parent's less the smaller's. Values without order are split as if ordered by
 * their mean target, among which the best split is (Fisher, JASA 53, 1958); where a feature has both, those without order all go to one side.
 * What a node has not seen goes to its larger side. Of equal splits: the first feature, the lowest bins.
 *
 * Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees", 1984; Ke et al., "LightGBM", NIPS 2017. O(records · features · depth).
 *
 * @param rows records to learn from, at least one; they are reordered
 * @param targets by record
 * @param leastRecords of a leaf
 */
export function growTree(
  features: readonly CodedFeature[],
  rows: Uint32Array,
  targets: Float64Array,
  mostLeaves: number,
  leastRecords: number,
): RegressionTree {
  const tree: number[] = [];
  const histogramOfRows = (of: Uint32Array) => histogramOf(features, of, targets);

  function grow(node: number, of: Uint32Array, histogram: () => Histogram): Leaf {
    let sum = 0;
    for (let index = 0; index < of.length; index++) sum += targets[of[index]!]!;
    setNode(tree, node, [-1, 0, 0, sum / of.length]);
    if (of.length < 2 * leastRecords) return { node, rows: of, histogram: null, split: null };
    const known = histogram();
    const split = bestSplit(features, known, { sum, count: of.length, leastRecords });
    return { node, rows: of, histogram: known, split };
  }

  const leaves = [grow(0, rows, () => histogramOfRows(rows))];
  while (leaves.length < mostLeaves) {
    const leaf = leaves.reduce((best, other) =>
      (other.split?.gain ?? 0) > (best.split?.gain ?? 0) ? other : best,
    );
    if (leaf.split === null) break;
    const { feature, left, besideIsLeft } = leaf.split;
    const child = tree.length / perNode;
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

/** What a tree predicts for a record. O(depth). */
export function treeValue(
  tree: RegressionTree,
  features: readonly CodedFeature[],
  row: number,
): number {
  let at = 0;
  while (tree[at]! >= 0) {
    const { codes, ordered } = features[tree[at]!]!;
    const right = isLeft(codes[row]!, ordered, tree[at + 1]!, tree[at + 2]!) ? 0 : 1;
    at = perNode * (tree[at + 3]! + right);
  }
  return tree[at + 3]!;
}

function isLeft(bin: number, ordered: number, left: number, besideIsLeft: number): boolean {
  if (bin < ordered) return bin < left;
  return ordered > 0 ? besideIsLeft === 1 : Math.floor(left / powersOfTwo[bin]!) % 2 === 1;
}

function setNode(tree: number[], node: number, numbers: readonly number[]): void {
  for (const [index, number] of numbers.entries()) tree[perNode * node + index] = number;
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

/** Brings the records of the left before the others. @returns their count */
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

/** The best split of one feature between two of its bins in their order; null where none gains more. */
function splitOf(
  ordered: number,
  sums: Float64Array,
  counts: Float64Array,
  { sum, count, leastRecords }: NodeTotals,
  leastGain: number,
): Omit<Split, 'feature'> | null {
  const { order, beside } = binsInOrder(ordered, sums, counts);
  const besideSum = beside.reduce((total, bin) => total + sums[bin]!, 0);
  const besideCount = beside.reduce((total, bin) => total + counts[bin]!, 0);
  const best = { gain: leastGain, place: -1, besideIsLeft: 0, leftCount: 0 };
  let sumBefore = 0;
  let countBefore = 0;
  for (let place = 0; place < order.length; place++) {
    const bin = order[place]!;
    if (counts[bin] === 0) continue;
    sumBefore += sums[bin]!;
    countBefore += counts[bin]!;
    for (let besideIsLeft = 0; besideIsLeft <= Number(besideCount > 0); besideIsLeft++) {
      const leftCount = countBefore + besideIsLeft * besideCount;
      if (leftCount < leastRecords || count - leftCount < leastRecords) continue;
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

/** Bins in the order in which they are split, and those that are kept together; of those without order only the ones that occur. */
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

import { normalSurvival } from '../../services/shared/statistics/normalSurvival.ts';

/**
 * A classifier that learns row by row. A leaf splits when one attribute is better than the second
 * best beyond chance (Domingos and Hulten, KDD 2000). Attributes have a normal distribution per
 * class. A leaf predicts by naive Bayes if that has been right more often there than the majority
 * class (Holmes, Kirkby and Pfahringer 2005). These are the defaults of MOA.
 */
export interface HoeffdingTree {
  /** Returns a probability per class. All are equal if the leaf has seen no rows. */
  predict(features: readonly number[]): number[];
  learn(features: readonly number[], label: number): void;
}

const graceRows = 200;
const confidence = 1e-7;
const tieThreshold = 0.05;
const splitPoints = 10;
const maxLeaves = 500;
const minDeviation = 1e-3;

/** Mean and sum of squared deviations of an attribute in the rows of a class (Welford). */
interface Spread {
  rows: number;
  mean: number;
  squares: number;
  minimum: number;
  maximum: number;
}

interface Leaf {
  classes: number[];
  /** By attribute, then by class. */
  spreads: Spread[][];
  rowsAtLastAttempt: number;
  majorityRight: number;
  bayesRight: number;
}

interface Node {
  leaf: Leaf | null;
  attribute: number;
  cut: number;
  left: Node | null;
  right: Node | null;
}

export function hoeffdingTree(attributes: number, classes: number): HoeffdingTree {
  const root = newNode(new Array(classes).fill(0), attributes);
  let leaves = 1;

  function nodeOf(features: readonly number[]): Node {
    let node = root;
    while (!node.leaf) node = features[node.attribute]! <= node.cut ? node.left! : node.right!;
    return node;
  }

  return {
    predict(features) {
      const { leaf } = nodeOf(features);
      return leaf!.bayesRight > leaf!.majorityRight
        ? bayes(leaf!, features)
        : shares(leaf!.classes);
    },

    learn(features, label) {
      const node = nodeOf(features);
      const leaf = node.leaf!;
      if (largest(leaf.classes) === label) leaf.majorityRight++;
      if (largest(bayes(leaf, features)) === label) leaf.bayesRight++;
      leaf.classes[label]!++;
      for (let attribute = 0; attribute < attributes; attribute++)
        addTo(leaf.spreads[attribute]![label]!, features[attribute]!);
      const rows = total(leaf.classes);
      if (rows - leaf.rowsAtLastAttempt < graceRows || leaves >= maxLeaves) return;
      leaf.rowsAtLastAttempt = rows;
      if (split(node, leaf, rows)) leaves++;
    },
  };
}

function newNode(classes: number[], attributes: number): Node {
  const leaf: Leaf = {
    classes,
    spreads: Array.from({ length: attributes }, () => classes.map(emptySpread)),
    rowsAtLastAttempt: total(classes),
    majorityRight: 0,
    bayesRight: 0,
  };
  return { leaf, attribute: -1, cut: 0, left: null, right: null };
}

function emptySpread(): Spread {
  return {
    rows: 0,
    mean: 0,
    squares: 0,
    minimum: Number.POSITIVE_INFINITY,
    maximum: Number.NEGATIVE_INFINITY,
  };
}

function addTo(spread: Spread, value: number): void {
  spread.rows++;
  const deviation = value - spread.mean;
  spread.mean += deviation / spread.rows;
  spread.squares += deviation * (value - spread.mean);
  spread.minimum = Math.min(spread.minimum, value);
  spread.maximum = Math.max(spread.maximum, value);
}

function deviationOf({ rows, squares }: Spread): number {
  return rows > 1 ? Math.sqrt(squares / (rows - 1)) : 0;
}

/**
 * Returns the logarithm of the normal density without its constant term. An attribute that is
 * constant in a class has a narrow distribution.
 */
function logDensity(value: number, spread: Spread): number {
  const deviation = Math.max(deviationOf(spread), minDeviation);
  return -0.5 * ((value - spread.mean) / deviation) ** 2 - Math.log(deviation);
}

function bayes({ classes, spreads }: Leaf, features: readonly number[]): number[] {
  const rows = total(classes);
  if (rows === 0) return shares(classes);
  const logs = classes.map((count, label) => {
    if (count === 0) return Number.NEGATIVE_INFINITY;
    let log = Math.log(count / rows);
    for (const [attribute, ofAttribute] of spreads.entries()) {
      const spread = ofAttribute[label]!;
      if (spread.rows > 1) log += logDensity(features[attribute]!, spread);
    }
    return log;
  });
  const highest = Math.max(...logs);
  return shares(logs.map(log => Math.exp(log - highest)));
}

function shares(weights: readonly number[]): number[] {
  const all = total(weights);
  return weights.map(weight => (all > 0 ? weight / all : 1 / weights.length));
}

interface Split {
  attribute: number;
  cut: number;
  gain: number;
  left: number[];
}

function split(node: Node, leaf: Leaf, rows: number): boolean {
  if (leaf.classes.filter(count => count > 0).length < 2) return false;
  const best = leaf.spreads.map((spreads, attribute) =>
    bestSplit(attribute, spreads, leaf.classes),
  );
  best.sort((a, b) => b.gain - a.gain);
  const [first, second] = best;
  const range = Math.log2(leaf.classes.length);
  const bound = Math.sqrt((range * range * Math.log(1 / confidence)) / (2 * rows));
  const lead = first!.gain - Math.max(0, second?.gain ?? 0);
  if (first!.gain <= 0 || (lead <= bound && bound >= tieThreshold)) return false;
  node.leaf = null;
  node.attribute = first!.attribute;
  node.cut = first!.cut;
  const attributes = leaf.spreads.length;
  node.left = newNode(first!.left, attributes);
  node.right = newNode(
    leaf.classes.map((count, label) => count - first!.left[label]!),
    attributes,
  );
  return true;
}

function bestSplit(
  attribute: number,
  spreads: readonly Spread[],
  classes: readonly number[],
): Split {
  const low = Math.min(...spreads.map(({ minimum }) => minimum));
  const high = Math.max(...spreads.map(({ maximum }) => maximum));
  const before = entropy(classes);
  const rows = total(classes);
  let best: Split = { attribute, cut: 0, gain: Number.NEGATIVE_INFINITY, left: [] };
  for (let point = 1; point <= splitPoints; point++) {
    const cut = low + ((high - low) * point) / (splitPoints + 1);
    if (!(cut > low && cut < high)) continue;
    const left = spreads.map((spread, label) => classes[label]! * shareBelow(spread, cut));
    const right = classes.map((count, label) => count - left[label]!);
    const gain = before - (total(left) * entropy(left) + total(right) * entropy(right)) / rows;
    if (gain > best.gain) best = { attribute, cut, gain, left };
  }
  return best;
}

function shareBelow(spread: Spread, cut: number): number {
  if (spread.rows === 0 || cut < spread.minimum) return 0;
  if (cut >= spread.maximum) return 1;
  return 1 - normalSurvival((cut - spread.mean) / Math.max(deviationOf(spread), minDeviation));
}

function entropy(counts: readonly number[]): number {
  const all = total(counts);
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / all) * Math.log2(count / all);
  return bits;
}

function largest(values: readonly number[]): number {
  let best = 0;
  for (let index = 1; index < values.length; index++)
    if (values[index]! > values[best]!) best = index;
  return best;
}

function total(numbers: readonly number[]): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

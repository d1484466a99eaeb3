import { type Random, randomOf } from '../streams/random.ts';

/** Evidently's default thresholds for embeddings. */
const maxDistance = 0.2;
const maxAuc = 0.55;

/** Those of scikit-learn's SGDClassifier, but for a fixed number of epochs. */
const regularisation = 1e-4;
const firstStep = 1_000;
const epochs = 6;

type Vectors = readonly (readonly number[])[];

/** Applies Evidently's default rules to windows: whether each would report a drift. */
export interface PeerRules {
  /** The distance of the mean vectors is above 0.2. */
  byDistance(window: Vectors): boolean;
  /** A classifier tells the window from the reference with an AUC above 0.55. */
  byClassifier(window: Vectors): boolean;
}

export function peerRules(reference: Vectors, name: string): PeerRules {
  const mean = meanOf(reference);
  return {
    byDistance: window =>
      Math.hypot(...meanOf(window).map((number, at) => number - mean[at]!)) > maxDistance,
    byClassifier: window => classifierAuc(reference, window, randomOf(name)) > maxAuc,
  };
}

function meanOf(vectors: Vectors): number[] {
  const sum = new Array<number>(vectors[0]!.length).fill(0);
  for (const vector of vectors) {
    for (let at = 0; at < sum.length; at++) sum[at]! += vector[at]!;
  }
  return sum.map(number => number / vectors.length);
}

/**
 * Returns how well a logistic regression, fitted to one half of all vectors, tells those of two
 * sides apart in the other half. O(vectors · dimension · epochs).
 */
export function classifierAuc(left: Vectors, right: Vectors, random: Random): number {
  const all = [...left, ...right];
  const isRight = (index: number) => index >= left.length;
  const order = random.permutation(all.length);
  const training = order.slice(0, order.length / 2);
  const dimension = all[0]!.length;
  const weights = new Float64Array(dimension);
  let bias = 0;
  const logit = (vector: readonly number[]) => {
    let sum = bias;
    for (let at = 0; at < dimension; at++) sum += weights[at]! * vector[at]!;
    return sum;
  };
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const position of random.permutation(training.length)) {
      const index = training[position]!;
      const vector = all[index]!;
      const rate = 1 / (regularisation * (firstStep + step++));
      const residual = (isRight(index) ? 1 : 0) - 1 / (1 + Math.exp(-logit(vector)));
      const kept = 1 - rate * regularisation;
      for (let at = 0; at < dimension; at++)
        weights[at] = weights[at]! * kept + rate * residual * vector[at]!;
      bias += rate * residual;
    }
  }
  const tested = order.slice(training.length);
  return aucOf(tested.map(index => ({ score: logit(all[index]!), positive: isRight(index) })));
}

/** Returns the probability that a positive scores higher than a negative (Mann and Whitney). */
function aucOf(scored: { score: number; positive: boolean }[]): number {
  scored.sort((left, right) => left.score - right.score);
  let positives = 0;
  let rankSum = 0;
  for (const [rank, { positive }] of scored.entries()) {
    if (!positive) continue;
    positives += 1;
    rankSum += rank + 1;
  }
  const negatives = scored.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

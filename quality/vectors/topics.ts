import type { Random } from '../streams/random.ts';
import { unit } from './wordVectors.ts';

const rounds = 15;

/** Vectors that lie near each other. */
export interface Topic {
  centre: readonly number[];
  /** Positions of its vectors. */
  members: number[];
}

/**
 * Groups unit vectors around centres by spherical k-means, and returns the groups, the largest
 * first.
 */
export function topicsOf(
  vectors: readonly (readonly number[])[],
  count: number,
  random: Random,
): Topic[] {
  let centres = random
    .permutation(vectors.length)
    .slice(0, count)
    .map(index => vectors[index]!);
  let members = nearest(vectors, centres);
  for (let round = 1; round < rounds; round++) {
    centres = members.map((indexes, topic) =>
      indexes.length === 0 ? centres[topic]! : meanOf(indexes.map(index => vectors[index]!)),
    );
    members = nearest(vectors, centres);
  }
  return centres
    .map((centre, topic) => ({ centre, members: members[topic]! }))
    .sort((left, right) => right.members.length - left.members.length);
}

function nearest(
  vectors: readonly (readonly number[])[],
  centres: readonly (readonly number[])[],
): number[][] {
  const members = centres.map((): number[] => []);
  for (const [index, vector] of vectors.entries()) {
    let best = 0;
    let bestProduct = Number.NEGATIVE_INFINITY;
    for (const [topic, centre] of centres.entries()) {
      let product = 0;
      for (let at = 0; at < vector.length; at++) product += vector[at]! * centre[at]!;
      if (product > bestProduct) [best, bestProduct] = [topic, product];
    }
    members[best]!.push(index);
  }
  return members;
}

function meanOf(vectors: readonly (readonly number[])[]): number[] {
  const sum = new Array<number>(vectors[0]!.length).fill(0);
  for (const vector of vectors) {
    for (let at = 0; at < sum.length; at++) sum[at]! += vector[at]!;
  }
  return unit(sum);
}

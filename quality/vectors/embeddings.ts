import { type Random, randomOf } from '../streams/random.ts';
import { type Topic, topicsOf } from './topics.ts';
import { unit } from './wordVectors.ts';

const topicCount = 21;
/** Share of the largest topic that moves to the smallest one. */
const movedShare = 0.35;
const spreadFactor = 1.15;
/** Dimensions that a changed encoder leaves at 0, out of 100. */
const droppedDimensions = 10;

/** What changes in a stream. */
export const changes = [
  'topic mix',
  'new topic 2 %',
  'new topic 5 %',
  'encoder rotated',
  'encoder drops 10 dimensions',
  'spread +15 %',
] as const;
export type Change = (typeof changes)[number];

/** Draws the vectors of a window. */
export type Draw = (records: number, random: Random) => (readonly number[])[];

/** Ways to draw vectors: while nothing changes, and after each change. */
export interface Embeddings {
  unchanged: Draw;
  changed: Record<Change, Draw>;
}

/**
 * Makes streams out of a public set of vectors. A record is one of them, drawn from the topics in
 * proportion to their size. The topic in the middle of the sizes is the new one, which only some
 * changed windows have.
 */
export function embeddingsOf(vectors: readonly (readonly number[])[]): Embeddings {
  const random = randomOf('vectors', 'topics');
  const topics = topicsOf(vectors, topicCount, random);
  const [added] = topics.splice(Math.floor(topicCount / 2), 1);
  const largest = topics[0]!;
  const smallest = topics.at(-1)!;
  const known = topics.flatMap(topic => topic.members.map(() => topic));
  const anyTopic = (of: Random) => known[of.integer(known.length)]!;
  const drawFrom =
    (encoded: readonly (readonly number[])[], topicOf: (of: Random) => Topic): Draw =>
    (records, of) =>
      Array.from({ length: records }, () => {
        const { members } = topicOf(of);
        return encoded[members[of.integer(members.length)]!]!;
      });
  const withNew = (share: number) => (of: Random) => (of.uniform() < share ? added! : anyTopic(of));
  return {
    unchanged: drawFrom(vectors, anyTopic),
    changed: {
      'topic mix': drawFrom(vectors, of => {
        const topic = anyTopic(of);
        return topic === largest && of.uniform() < movedShare ? smallest : topic;
      }),
      'new topic 2 %': drawFrom(vectors, withNew(0.02)),
      'new topic 5 %': drawFrom(vectors, withNew(0.05)),
      'encoder rotated': drawFrom(rotated(vectors, random), anyTopic),
      'encoder drops 10 dimensions': drawFrom(
        vectors.map(vector =>
          unit(vector.map((number, at) => (at < droppedDimensions ? 0 : number))),
        ),
        anyTopic,
      ),
      'spread +15 %': drawFrom(spread(vectors, topics), anyTopic),
    },
  };
}

/** Rotates all vectors alike, by the product of as many random reflections as they have numbers. */
function rotated(vectors: readonly (readonly number[])[], random: Random): number[][] {
  const turned = vectors.map(vector => [...vector]);
  const length = vectors[0]!.length;
  for (let reflection = 0; reflection < length; reflection++) {
    const axis = unit(Array.from({ length }, () => random.normal()));
    for (const vector of turned) {
      let product = 0;
      for (let at = 0; at < length; at++) product += vector[at]! * axis[at]!;
      for (let at = 0; at < length; at++) vector[at]! -= 2 * product * axis[at]!;
    }
  }
  return turned;
}

/** Moves vectors away from the centre of their topic. */
function spread(
  vectors: readonly (readonly number[])[],
  topics: readonly Topic[],
): (readonly number[])[] {
  const moved = [...vectors];
  for (const { centre, members } of topics) {
    for (const index of members) {
      const away = (number: number, at: number) =>
        centre[at]! + spreadFactor * (number - centre[at]!);
      moved[index] = unit(vectors[index]!.map(away));
    }
  }
  return moved;
}

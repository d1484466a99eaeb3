import { describe, expect, it } from 'vitest';
import { randomOf } from '../../../quality/streams/random.ts';
import { embeddingsOf } from '../../../quality/vectors/embeddings.ts';
import { judgeEmbeddings } from '../../../quality/vectors/judgeEmbeddings.ts';
import { classifierAuc } from '../../../quality/vectors/peerRules.ts';
import { topicsOf } from '../../../quality/vectors/topics.ts';
import { parseWordVectors, unit } from '../../../quality/vectors/wordVectors.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const { detection } = parseSettings('', 'test').of('m');

/** Returns unit vectors around 30 centres. */
function vectorsAround(name: string, count: number, dimension = 12): number[][] {
  const random = randomOf(name);
  const draw = (scale: number) => Array.from({ length: dimension }, () => scale * random.normal());
  const centres = Array.from({ length: 30 }, () => draw(1));
  return Array.from({ length: count }, (_, index) => {
    const noise = draw(0.4);
    return unit(centres[index % 30]!.map((number, at) => 0.5 + number + noise[at]!));
  });
}

describe('measuring the detection of changed vectors', () => {
  it('reads words of letters with their vectors, without norm and rank', () => {
    const numbers = (first: number) => [first, ...new Array(99).fill(0), 3, 7].join(',');
    const text = `{"words":["the"],"vectors":{"the":[${numbers(-3)}],".":[${numbers(1)}],"cut":[1,`;
    const [word, ...others] = parseWordVectors(text);
    expect(word!.word).toBe('the');
    expect(word!.vector).toEqual([-1, ...new Array(99).fill(0)]);
    expect(others).toEqual([]);
  });

  it('puts each vector into one topic, the largest topic first', () => {
    const topics = topicsOf(vectorsAround('topics', 600), 8, randomOf('centres'));
    const sizes = topics.map(({ members }) => members.length);
    expect(sizes).toEqual(sizes.toSorted((left, right) => right - left));
    expect(topics.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 600 }, (_, index) => index),
    );
  });

  it('tells two sides apart by a classifier only where they differ', () => {
    const all = vectorsAround('sides', 1_200);
    const left = all.slice(0, 600);
    const right = all.slice(600);
    const moved = right.map(([first, ...others]) => [first! + 0.5, ...others]);
    expect(Math.abs(classifierAuc(left, right, randomOf('same')) - 0.5)).toBeLessThan(0.06);
    expect(classifierAuc(left, moved, randomOf('moved'))).toBeGreaterThan(0.8);
  });

  it('finds another encoder in the first window, and nothing before', () => {
    const embeddings = embeddingsOf(vectorsAround('judged', 2_000));
    const { unchanged, changed } = judgeEmbeddings(embeddings, 100, 0, detection);
    expect(unchanged.driftloop).toHaveLength(100);
    expect(unchanged.driftloop).not.toContain(true);
    expect(unchanged.distance).not.toContain(true);
    const { driftloop, distance, classifier } = changed['encoder rotated'];
    expect([driftloop[0], distance[0], classifier[0]]).toEqual([true, true, true]);
  });
});

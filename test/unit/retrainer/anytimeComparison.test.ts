import { describe, expect, it } from 'vitest';
import {
  type AnytimeComparison,
  anytimeComparison,
  minAnytimeRows,
  pointwiseLevel,
} from '../../../services/retrainer/gates/anytimeComparison.ts';
import type { Losses } from '../../../services/retrainer/gates/losses.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

const random = seededRandom(15);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

interface Stream {
  champion: number[];
  challenger: number[];
  entities?: string[];
}

const losses = ({ champion, challenger, entities }: Stream, rows = champion.length): Losses => ({
  name: 'error rate',
  champion: champion.slice(0, rows),
  challenger: challenger.slice(0, rows),
  constants: [],
  weights: null,
  entities: entities?.slice(0, rows) ?? null,
  margin: 0.01,
});

/** Errors of two models, of which one alone is wrong on 4 % of the rows. */
function errors(gain: number) {
  return (rows: number): Stream => {
    const draws = Array.from({ length: rows }, random);
    return {
      champion: draws.map(draw => (draw < (0.04 + gain) / 2 ? 1 : 0)),
      challenger: draws.map(draw => (draw >= (0.04 + gain) / 2 && draw < 0.04 ? 1 : 0)),
    };
  };
}

/** Log-losses of two models that see the log-odds with errors of their own; 3 % are positive. */
function logLosses(rows: number): Stream {
  const stream: Stream = { champion: [], challenger: [] };
  for (let row = 0; row < rows; row++) {
    const logit = -5 + 2 * normal();
    const isPositive = random() < sigmoid(logit);
    for (const name of ['champion', 'challenger'] as const) {
      const probability = sigmoid(logit + normal());
      stream[name].push(-Math.log(Math.max(0.001, isPositive ? probability : 1 - probability)));
    }
  }
  return stream;
}

/** Differences that depend on those of the rows before: the correlation falls by a tenth a row. */
function correlated(rows: number): Stream {
  let state = normal();
  const champion = Array.from({ length: rows }, () => {
    state = 0.9 * state + Math.sqrt(1 - 0.81) * normal();
    return state;
  });
  return { champion, challenger: champion.map(() => 0) };
}

/** Ten rows of each entity, for which one of the models is the better one. */
function ofEntities(rows: number): Stream {
  const effects = Array.from({ length: rows / 10 }, () => 0.3 * normal());
  const entities = Array.from({ length: rows }, (_, row) => String(row % effects.length));
  const champion = entities.map(entity => effects[Number(entity)]! + 0.1 * normal());
  return { champion, challenger: champion.map(() => 0), entities };
}

/** Looks again and again as rows come, and stops at the first verdict. */
function verdicts(streams: number, rows: number, draw: (rows: number) => Stream) {
  const counts = { better: 0, worse: 0, undecided: 0 };
  for (let run = 0; run < streams; run++) {
    const stream = draw(rows);
    let verdict: AnytimeComparison['verdict'] = 'undecided';
    for (let seen = minAnytimeRows; seen <= rows && verdict === 'undecided'; seen *= 1.15)
      ({ verdict } = anytimeComparison(losses(stream, Math.floor(seen))));
    counts[verdict] += 1 / streams;
  }
  return counts;
}

describe('anytimeComparison over many looks', () => {
  it.each([
    ['errors', errors(0)],
    ['log-losses with 3 % positives', logLosses],
    ['rows that depend on their neighbours', correlated],
    ['ten rows of each entity', ofEntities],
  ])('calls at most one in 20 equal challengers better at any look: %s', (_, draw) => {
    const { better, worse } = verdicts(150, 3000, draw);
    expect(better).toBeLessThanOrEqual(0.05);
    expect(worse).toBeLessThanOrEqual(0.05);
  });

  it('finds one point, and never calls better what is worse by one point', () => {
    expect(verdicts(40, 6000, errors(0.01)).better).toBeGreaterThan(0.5);
    const { better, worse } = verdicts(40, 6000, errors(-0.015));
    expect(better).toBe(0);
    expect(worse).toBeGreaterThan(0.5);
  });
});

describe('anytimeComparison', () => {
  it('says how much lower the loss is', () => {
    const stream = errors(0.04)(3000);
    expect(anytimeComparison(losses(stream))).toMatchObject({
      verdict: 'better',
      sentence: expect.stringMatching(
        /^On the same 3000 rows, its error rate is 0, and the champion's is 0\.0\d+: it is lower by 0\.0\d+ \(95 % confidence interval 0\.0\d+ to 0\.0\d+\), however often one looks\.$/,
      ),
    });
  });

  it('does not call worse what is worse by less than the margin', () => {
    const champion = Array.from({ length: 4000 }, () => 0);
    const challenger = champion.map((_, row) => (row % 200 === 0 ? 1 : 0));
    expect(anytimeComparison(losses({ champion, challenger })).verdict).toBe('undecided');
    expect(anytimeComparison(losses({ champion, challenger }), 'not-worse').verdict).toBe('better');
  });

  it('waits for 500 rows', () => {
    expect(anytimeComparison(losses(errors(0.04)(499)))).toEqual({
      verdict: 'undecided',
      sentence: '499 rows with labels tell something, but at least 500 are needed.',
      interval: null,
    });
  });

  it('is as wide as the confidence sequence', () => {
    // Python: s = 7.9 * n / 2000; z = sqrt(2 * (1 + 1 / s) * log(sqrt(s + 1) / 0.05))
    // 1 - erfc(z / sqrt(2))
    expect(pointwiseLevel(500)).toBeCloseTo(0.9989095876726446, 9);
    expect(pointwiseLevel(2000)).toBeCloseTo(0.9975965073460182, 9);
    expect(pointwiseLevel(20_000)).toBeCloseTo(0.9988093523174435, 9);
  });
});

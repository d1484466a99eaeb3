import { describe, expect, it } from 'vitest';
import type { GateRow } from '../../../services/retrainer/gates/gate.ts';
import {
  type GateContext,
  judgeChallenger,
  type Verdict,
} from '../../../services/retrainer/gates/gates.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

interface World {
  rows: number;
  /** Mean log-odds of the positive class: 0 for a half of the rows, -4 for about 3 %. */
  bias?: number;
  /** Standard deviation of the log-odds. */
  signal?: number;
  /** Rows of one entity follow another, and share what the models do not know about it. */
  rowsPerEntity?: number;
  /** Standard deviation of the models' errors in log-odds. */
  championNoise: number;
  challengerNoise: number;
  /** Whether the two log probabilities. */
  probabilities: boolean;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Two models that see the log-odds of each row with an error of their own. */
function simulate(
  world: World,
  random: () => number,
): { rows: GateRow[]; past: GateRow['truth'][] } {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const { bias = 0, signal = 2, rowsPerEntity = 1 } = world;
  const draw = (index: number, of: { champion: number; challenger: number }): GateRow => {
    const logit = bias + signal * normal();
    const label = random() < sigmoid(logit) ? 'yes' : 'no';
    const answer = (error: number) => {
      const positive = sigmoid(logit + error);
      return {
        prediction: positive > 0.5 ? 'yes' : 'no',
        probability: label === 'yes' ? positive : 1 - positive,
      };
    };
    const champion = answer(
      of.champion + (rowsPerEntity === 1 ? world.championNoise * normal() : 0),
    );
    const challenger = answer(
      of.challenger + (rowsPerEntity === 1 ? world.challengerNoise * normal() : 0),
    );
    return {
      truth: { label, labelValue: null, segments: {}, weight: 1 },
      champion: { prediction: champion.prediction, predictionValue: null },
      challenger: {
        prediction: challenger.prediction,
        predictionValue: null,
        score: null,
        probabilities: null,
      },
      ...(world.probabilities && {
        championProbability: champion.probability,
        challengerProbability: challenger.probability,
      }),
      entity: String(index % Math.ceil(world.rows / rowsPerEntity)),
    };
  };
  const entities = Array.from({ length: Math.ceil(world.rows / rowsPerEntity) }, () => ({
    champion: rowsPerEntity === 1 ? 0 : world.championNoise * normal(),
    challenger: rowsPerEntity === 1 ? 0 : world.challengerNoise * normal(),
  }));
  const rows = Array.from({ length: world.rows }, (_, index) =>
    draw(index, entities[index % entities.length]!),
  );
  const past = Array.from({ length: 1000 }, (_, index) => draw(index, entities[0]!).truth);
  return { rows, past };
}

function shareOf(
  verdict: Verdict,
  simulations: number,
  world: World,
  change: (rows: GateRow[], random: () => number) => void = () => {},
  context: GateContext = {},
): number {
  const random = seededRandom(7);
  let found = 0;
  for (let run = 0; run < simulations; run++) {
    const { rows, past } = simulate(world, random);
    change(rows, random);
    if (judgeChallenger('binary', rows, [], { past, ...context }).verdict === verdict) found++;
  }
  return found / simulations;
}

const equal = { championNoise: 1, challengerNoise: 1 };

describe('judgeChallenger over many trainings', () => {
  it.each([
    ['200 rows with probabilities', { rows: 200, probabilities: true }],
    ['200 rows without', { rows: 200, probabilities: false }],
    ['1,000 rows', { rows: 1000, probabilities: true }],
    ['3 % positives', { rows: 1000, bias: -5, probabilities: true }],
    ['3 % positives without probabilities', { rows: 1000, bias: -5, probabilities: false }],
    ['200 entities with 10 rows each', { rows: 2000, rowsPerEntity: 10, probabilities: true }],
    ['the same without probabilities', { rows: 2000, rowsPerEntity: 10, probabilities: false }],
  ])('promotes at most one in 20 challengers that are no better: %s', (_, world) => {
    expect(shareOf('promote', 400, { ...equal, ...world })).toBeLessThanOrEqual(0.05);
  });

  it('promotes hardly any challenger that is worse by one point', () => {
    const worse = (rows: GateRow[], random: () => number) => {
      for (const { truth, challenger } of rows) {
        if (challenger.prediction === truth.label && random() < 0.0125)
          challenger.prediction = truth.label === 'yes' ? 'no' : 'yes';
      }
    };
    const world = { ...equal, rows: 1000, probabilities: false };
    expect(shareOf('promote', 400, world, worse)).toBeLessThanOrEqual(0.01);
  });

  it('promotes at most 5 % of the challengers that are worse by the margin after an age', () => {
    const same = { championNoise: 0, challengerNoise: 0, rows: 1000, probabilities: false };
    const worse = (rows: GateRow[], random: () => number) => {
      // The change makes a right answer wrong in a share of all rows.
      for (const { truth, champion, challenger } of rows) {
        challenger.prediction = champion.prediction;
        if (random() < 0.014 && champion.prediction === truth.label)
          challenger.prediction = truth.label === 'yes' ? 'no' : 'yes';
      }
    };
    expect(shareOf('promote', 400, same, worse, { rule: 'not-worse' })).toBeLessThanOrEqual(0.05);
    expect(shareOf('promote', 50, same, () => {}, { rule: 'better' })).toBe(0);
    const unchanged = (rows: GateRow[]) => {
      for (const { champion, challenger } of rows) challenger.prediction = champion.prediction;
    };
    expect(shareOf('promote', 50, same, unchanged, { rule: 'not-worse' })).toBe(1);
  });

  it('lets challengers that are a little worse after an age go down by one margin in all', () => {
    const random = seededRandom(7);
    const { rows, past } = simulate(
      { championNoise: 0, challengerNoise: 0, rows: 10_000, probabilities: false },
      random,
    );
    const promotedOf = (keeps: boolean) => {
      let [marginUsed, promoted] = [0, 0];
      for (let training = 0; training < 20; training++) {
        const wrong = new Set<number>();
        while (wrong.size < 30) wrong.add(Math.floor(random() * rows.length));
        const judged = rows.map((row, index) => {
          const label = row.truth.label;
          const other = label === 'yes' ? 'no' : 'yes';
          const { prediction } = row.champion;
          const challenger = wrong.has(index) && prediction === label ? other : prediction;
          return { ...row, challenger: { ...row.challenger, prediction: challenger } };
        });
        const { verdict, metrics } = judgeChallenger('binary', judged, [], {
          past,
          rule: 'not-worse',
          marginUsed,
        });
        if (verdict !== 'promote') continue;
        promoted++;
        if (keeps) marginUsed = metrics.marginUsed!;
      }
      return { promoted, marginUsed };
    };
    // Each challenger is worse by a fifth to a third of the margin.
    expect(promotedOf(false).promoted).toBe(20);
    const { promoted, marginUsed } = promotedOf(true);
    expect(promoted).toBeGreaterThanOrEqual(2);
    expect(marginUsed).toBeLessThanOrEqual(1);
  });

  it('gives the margin back to a challenger that is better', () => {
    const better = (rows: GateRow[], random: () => number) => {
      for (const { truth, champion, challenger } of rows) {
        challenger.prediction = champion.prediction;
        if (random() < 0.3) challenger.prediction = truth.label;
      }
    };
    const { rows, past } = simulate(
      { championNoise: 0, challengerNoise: 0, rows: 1000, probabilities: false },
      seededRandom(7),
    );
    better(rows, seededRandom(8));
    const { metrics } = judgeChallenger('binary', rows, [], { past, marginUsed: 0.8 });
    expect(metrics.marginUsed).toBe(0);
  });

  it.each([
    ['the champion finds positives', { rows: 1000, bias: -5, probabilities: false }, 1],
    ['classes are of one size', { rows: 1000, probabilities: false }, 1],
    ['there are probabilities', { rows: 1000, bias: -5, probabilities: true }, 1],
    ['the champion is bad', { rows: 1000, probabilities: true }, 6],
  ])('never promotes a constant: %s', (_, world, championNoise) => {
    const constant = (rows: GateRow[]) => {
      const positives = rows.filter(({ truth }) => truth.label === 'yes').length;
      for (const row of rows) {
        row.challenger.prediction = 'no';
        if (row.challengerProbability !== undefined) {
          const share = positives / rows.length;
          row.challengerProbability = row.truth.label === 'yes' ? share : 1 - share;
        }
      }
    };
    expect(shareOf('promote', 200, { ...equal, ...world, championNoise }, constant)).toBe(0);
  });

  it.each([
    ['1,000 rows', { rows: 1000, probabilities: true }],
    ['1,000 rows without probabilities', { rows: 1000, probabilities: false }],
    ['3 % positives', { rows: 3000, bias: -10, signal: 5, probabilities: true }],
    ['200 entities with 10 rows each', { rows: 2000, rowsPerEntity: 10, probabilities: true }],
  ])('promotes nearly every challenger that is clearly better: %s', (_, world) => {
    const share = shareOf('promote', 100, { ...world, championNoise: 3, challengerNoise: 0.3 });
    expect(share).toBeGreaterThan(0.9);
  });
});

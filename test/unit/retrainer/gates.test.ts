import { describe, expect, it } from 'vitest';
import type { GateRow } from '../../../services/retrainer/gates/gate.ts';
import { judgeChallenger } from '../../../services/retrainer/gates/gates.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

function gateRow(
  championRight: boolean,
  challengerRight: boolean,
  segments: Record<string, string> = {},
  weight = 1,
): GateRow {
  const said = (right: boolean) => ({ prediction: right ? 'yes' : 'no', predictionValue: null });
  return {
    truth: { label: 'yes', labelValue: null, segments, weight },
    champion: said(championRight),
    challenger: { ...said(challengerRight), score: null, probabilities: null },
  };
}

/**
 * Rows on which each model is right with a probability that moves slowly over time, as it does in a
 * drift.
 */
function simulate(
  rows: number,
  championAccuracy: number,
  challengerAccuracy: number,
  memory: number,
  random: () => number,
): GateRow[] {
  let mood = random() - 0.5;
  return Array.from({ length: rows }, () => {
    if (random() > memory) mood = random() - 0.5;
    return gateRow(
      random() < championAccuracy + mood * 0.4,
      random() < challengerAccuracy - mood * 0.4,
    );
  });
}

function approvals(simulations: number, make: (random: () => number) => GateRow[]): number {
  const random = seededRandom(20260101);
  let approved = 0;
  for (let run = 0; run < simulations; run++)
    if (judgeChallenger('binary', make(random), []).status === 'approved') approved++;
  return approved / simulations;
}

describe('judgeChallenger', () => {
  it.each([
    ['few independent rows', 75, 0],
    ['independent rows', 300, 0],
    ['rows correlated over five', 300, 0.8],
    ['rows correlated over ten', 1000, 0.9],
  ])('approves a challenger that is no better at most once in 20: %s', (_, rows, memory) => {
    expect(
      approvals(2000, random => simulate(rows, 0.75, 0.75, memory, random)),
    ).toBeLessThanOrEqual(0.05);
  });

  it('approves a challenger that is no better at most once in 20 with weights as well', () => {
    // A tenth of the rows stands for nine tenths of the traffic.
    const weigh = (rows: GateRow[], random: () => number) => {
      for (const row of rows) row.truth.weight = random() < 0.1 ? 81 : 1;
      return rows;
    };
    for (const [rows, memory] of [
      [1_000, 0],
      [2_000, 0.8],
    ] as const) {
      const share = approvals(1_000, random =>
        weigh(simulate(rows, 0.75, 0.75, memory, random), random),
      );
      expect(share).toBeLessThanOrEqual(0.05);
    }
  });

  it('compares rows as what they stand for', () => {
    // The challenger is right where little traffic was logged, the champion where all was.
    const rows = Array.from({ length: 800 }, (_, row) =>
      gateRow(row % 4 !== 0, row % 4 === 0, {}, row % 4 === 0 ? 10 : 1),
    );
    const weighted = judgeChallenger('binary', rows, []);
    expect(weighted.status).toBe('approved');
    expect(weighted.metrics.championLoss).toBeCloseTo(10 / 13, 12);
    expect(weighted.metrics.challengerLoss).toBeCloseTo(3 / 13, 12);
    for (const { truth } of rows) truth.weight = 7;
    const alike = judgeChallenger('binary', rows, []);
    for (const { truth } of rows) truth.weight = 1;
    const plain = judgeChallenger('binary', rows, []);
    expect(plain.status).toBe('rejected');
    expect(alike.metrics.difference).toBeCloseTo(plain.metrics.difference!, 12);
    expect(alike.metrics.intervalLow).toBeCloseTo(plain.metrics.intervalLow!, 12);
  });

  it('needs rows that tell enough by their weights', () => {
    const rows = Array.from({ length: 500 }, (_, row) =>
      gateRow(false, true, {}, row < 5 ? 1_000 : 1),
    );
    expect(judgeChallenger('binary', rows, [])).toMatchObject({
      status: 'rejected',
      reasons: [
        'Gate rows: not passed. 500 rows can be compared, which by their weights tell as much as 6, but at least 50 are needed.',
      ],
    });
  });

  it('nearly always approves a challenger that is clearly better', () => {
    expect(approvals(200, random => simulate(600, 0.7, 0.85, 0.5, random))).toBeGreaterThan(0.95);
  });

  it('gives the numbers for a better, a worse and an inconclusive challenger', () => {
    const rows = (champion: (row: number) => boolean, challenger: (row: number) => boolean) =>
      Array.from({ length: 200 }, (_, row) => gateRow(champion(row), challenger(row)));
    const better = judgeChallenger(
      'binary',
      rows(
        row => row % 2 === 0,
        row => row % 10 > 0,
      ),
      [],
    );
    expect(better.status).toBe('approved');
    expect(better.reasons[0]).toMatch(
      /^Comparison: passed\. On the same 200 rows, the challenger's error rate is 0\.1 and the champion's is 0\.5\. The challenger's is lower by 0\.4 \(95 % confidence interval 0\.\d+ to 0\.\d+\)\.$/,
    );
    expect(better.metrics).toMatchObject({
      championLoss: 0.5,
      challengerLoss: 0.1,
      difference: 0.4,
      gateRows: 200,
      blocks: 25,
    });
    expect(better.metrics.intervalLow).toBeGreaterThan(0);
    const worse = judgeChallenger(
      'binary',
      rows(
        row => row % 10 > 0,
        row => row % 2 === 0,
      ),
      [],
    );
    expect(worse).toMatchObject({ status: 'rejected' });
    expect(worse.reasons[0]).toMatch(
      /^Comparison: not passed\. .* The challenger's is higher by 0\.4 \(95 % confidence interval 0\.\d+ to 0\.\d+\)\.$/,
    );
    const equal = judgeChallenger(
      'binary',
      rows(
        row => row % 3 > 0,
        row => row % 3 > 0,
      ),
      [],
    );
    expect(equal).toMatchObject({
      status: 'rejected',
      metrics: { difference: 0, intervalLow: 0, intervalHigh: 0 },
    });
    expect(equal.reasons[0]).toMatch(
      /^Comparison: inconclusive\. .* The challenger's is the same \(95 % confidence interval 0 to 0\)\.$/,
    );
    const slightlyBetter = judgeChallenger(
      'binary',
      rows(
        row => row % 10 > 0,
        row => row % 11 > 0,
      ),
      [],
    );
    expect(slightlyBetter.reasons[0]).toMatch(
      /^Comparison: inconclusive\. .* lower by 0\.005 \(95 % confidence interval -0\.\d+ to 0\.\d+\), which may be chance\.$/,
    );
  });

  it('rejects a challenger that can be compared on too few rows', () => {
    const decision = judgeChallenger(
      'binary',
      Array.from({ length: 49 }, () => gateRow(false, true)),
      [],
    );
    expect(decision).toMatchObject({
      status: 'rejected',
      reasons: ['Gate rows: not passed. 49 rows can be compared, but at least 50 are needed.'],
    });
  });

  it('rejects a challenger that is better overall but worse in a declared segment', () => {
    const rows = Array.from({ length: 1000 }, (_, row) =>
      row % 10 === 0
        ? gateRow(row % 20 === 0, false, { country: 'NL' })
        : gateRow(row % 3 === 0, true, { country: 'DE' }),
    );
    expect(judgeChallenger('binary', rows, []).status).toBe('approved');
    const decision = judgeChallenger('binary', rows, ['country']);
    expect(decision.status).toBe('rejected');
    expect(decision.reasons[0]).toMatch(
      /^Segment country=NL: not passed\. On 100 rows, the challenger's error rate, compared with the champion's, is higher by 0\.5 \(97\.5 % confidence interval .*\)\.$/,
    );
    expect(decision.reasons).toContainEqual(
      expect.stringMatching(
        /^Segment country=DE: passed\. On 900 rows, .*, is lower by 0\.\d+ \(97\.5 % confidence interval .*\)\.$/,
      ),
    );
  });

  it('compares absolute errors of numbers, and rejects outputs that are not numbers', () => {
    const rows: GateRow[] = Array.from({ length: 100 }, (_, row) => ({
      truth: { label: String(row), labelValue: row, segments: {}, weight: 1 },
      champion: { prediction: String(row + 5), predictionValue: row + 5 },
      challenger: {
        prediction: String(row - 1),
        predictionValue: row - 1,
        score: null,
        probabilities: null,
      },
    }));
    const decision = judgeChallenger('regression', rows, []);
    expect(decision).toMatchObject({
      status: 'approved',
      metrics: { championLoss: 5, challengerLoss: 1, difference: 4 },
    });
    rows[7]!.challenger.predictionValue = null;
    expect(judgeChallenger('regression', rows, [])).toMatchObject({
      status: 'rejected',
      reasons: [
        'Outputs: not passed. The challenger gave no finite number for 1 of 100 rows.',
        expect.any(String),
      ],
    });
  });

  it('leaves out metrics that overflow', () => {
    const rows: GateRow[] = Array.from({ length: 100 }, () => ({
      truth: { label: '0', labelValue: 0, segments: {}, weight: 1 },
      champion: { prediction: '1e308', predictionValue: 1e308 },
      challenger: { prediction: '0', predictionValue: 0, score: null, probabilities: null },
    }));
    const decision = judgeChallenger('regression', rows, []);
    expect(Object.values(decision.metrics).every(Number.isFinite)).toBe(true);
    expect(decision.status).toBe('rejected');
  });

  it('rejects probabilities outside 0 to 1', () => {
    const rows = Array.from({ length: 100 }, (_, row) => gateRow(row % 2 === 0, true));
    for (const row of rows) row.challenger.probabilities = { yes: 0.8, no: 0.2 };
    const decision = judgeChallenger('binary', rows, []);
    expect(decision.metrics.challengerLogLoss).toBeCloseTo(-Math.log(0.8), 12);
    expect(decision.status).toBe('approved');
    rows[3]!.challenger.probabilities = { yes: 1.2, no: -0.2 };
    expect(judgeChallenger('binary', rows, [])).toMatchObject({
      status: 'rejected',
      reasons: [
        'Probabilities: not passed. The challenger gave probabilities outside 0 to 1.',
        expect.any(String),
      ],
    });
  });
});

import { describe, expect, it } from 'vitest';
import { type GateRow, judgeChallenger } from '../../../services/retrainer/gates/gates.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

function gateRow(
  championRight: boolean,
  challengerRight: boolean,
  segments: Record<string, string> = {},
): GateRow {
  const said = (right: boolean) => ({ prediction: right ? 'yes' : 'no', predictionValue: null });
  return {
    truth: { label: 'yes', labelValue: null, segments },
    champion: said(championRight),
    challenger: { ...said(challengerRight), score: null, probabilities: null },
  };
}

/** Rows on which each is right with a probability that moves slowly over time, as it does when the world drifts. */
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

  it('approves one that is clearly better nearly always', () => {
    expect(approvals(200, random => simulate(600, 0.7, 0.85, 0.5, random))).toBeGreaterThan(0.95);
  });

  it('says better, worse and inconclusive with the numbers', () => {
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
      /^comparison: error rate 0\.1 against the champion's 0\.5 on 200 rows, better by 0\.4 \(95 % interval 0\.\d+ to 0\.\d+\): passed$/,
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
      /^comparison: worse: error rate 0\.5 against the champion's 0\.1/,
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
    expect(equal.reasons[0]).toMatch(/^inconclusive: /);
  });

  it('refuses too few rows', () => {
    const verdict = judgeChallenger(
      'binary',
      Array.from({ length: 49 }, () => gateRow(false, true)),
      [],
    );
    expect(verdict).toMatchObject({
      status: 'rejected',
      reasons: ['gate rows: 49, at least 50 are needed: not passed'],
    });
  });

  it('refuses a challenger that is better over all but worse in a declared segment', () => {
    const rows = Array.from({ length: 1000 }, (_, row) =>
      row % 10 === 0
        ? gateRow(row % 20 === 0, false, { country: 'NL' })
        : gateRow(row % 3 === 0, true, { country: 'DE' }),
    );
    expect(judgeChallenger('binary', rows, []).status).toBe('approved');
    const verdict = judgeChallenger('binary', rows, ['country']);
    expect(verdict.status).toBe('rejected');
    expect(verdict.reasons[0]).toMatch(
      /^segment country=NL: worse: better by -0\.5 \(.*\) on 100 rows: not passed$/,
    );
    expect(verdict.reasons).toContainEqual(
      expect.stringMatching(/^segment country=DE: better by 0\.\d+ .*: passed$/),
    );
  });

  it('compares absolute errors of numbers, and refuses outputs that are none', () => {
    const rows: GateRow[] = Array.from({ length: 100 }, (_, row) => ({
      truth: { label: String(row), labelValue: row, segments: {} },
      champion: { prediction: String(row + 5), predictionValue: row + 5 },
      challenger: {
        prediction: String(row - 1),
        predictionValue: row - 1,
        score: null,
        probabilities: null,
      },
    }));
    const verdict = judgeChallenger('regression', rows, []);
    expect(verdict).toMatchObject({
      status: 'approved',
      metrics: { championLoss: 5, challengerLoss: 1, difference: 4 },
    });
    rows[7]!.challenger.predictionValue = null;
    expect(judgeChallenger('regression', rows, [])).toMatchObject({
      status: 'rejected',
      reasons: ['outputs: 1 of 100 are no finite numbers: not passed', expect.any(String)],
    });
  });

  it('publishes no figure that overflows', () => {
    const rows: GateRow[] = Array.from({ length: 100 }, () => ({
      truth: { label: '0', labelValue: 0, segments: {} },
      champion: { prediction: '1e308', predictionValue: 1e308 },
      challenger: { prediction: '0', predictionValue: 0, score: null, probabilities: null },
    }));
    const verdict = judgeChallenger('regression', rows, []);
    expect(Object.values(verdict.metrics).every(Number.isFinite)).toBe(true);
    expect(verdict.status).toBe('rejected');
  });

  it('refuses probabilities that are none', () => {
    const rows = Array.from({ length: 100 }, (_, row) => gateRow(row % 2 === 0, true));
    for (const row of rows) row.challenger.probabilities = { yes: 0.8, no: 0.2 };
    const verdict = judgeChallenger('binary', rows, []);
    expect(verdict.metrics.challengerLogLoss).toBeCloseTo(-Math.log(0.8), 12);
    expect(verdict.status).toBe('approved');
    rows[3]!.challenger.probabilities = { yes: 1.2, no: -0.2 };
    expect(judgeChallenger('binary', rows, [])).toMatchObject({
      status: 'rejected',
      reasons: [expect.stringMatching(/^log-loss: .*not passed$/), expect.any(String)],
    });
  });
});

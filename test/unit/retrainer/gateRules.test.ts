import { describe, expect, it } from 'vitest';
import type { GateRow } from '../../../services/retrainer/gates/gate.ts';
import { type GateContext, judgeChallenger } from '../../../services/retrainer/gates/gates.ts';
import { meanInterval } from '../../../services/retrainer/gates/meanInterval.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

type Said = [label: string, champion: string, challenger: string];

function row([label, champion, challenger]: Said, fields: Partial<GateRow> = {}): GateRow {
  return {
    truth: { label, labelValue: null, segments: {}, weight: 1 },
    champion: { prediction: champion, predictionValue: null },
    challenger: { prediction: challenger, predictionValue: null, score: null, probabilities: null },
    ...fields,
  };
}

function numberRow(label: number, champion: number, challenger: number): GateRow {
  const said = (value: number) => ({ prediction: String(value), predictionValue: value });
  return {
    truth: { label: String(label), labelValue: label, segments: {}, weight: 1 },
    champion: said(champion),
    challenger: { ...said(challenger), score: null, probabilities: null },
  };
}

const rowsOf = (count: number, say: (index: number) => GateRow) =>
  Array.from({ length: count }, (_, index) => say(index));
const labels = (count: number, label: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => ({ label: label(index), labelValue: null }));
const reasonOf = (rows: GateRow[], name: string, context: GateContext, segments: string[] = []) =>
  judgeChallenger('binary', rows, segments, context).reasons.find(text => text.startsWith(name));

describe('the best constant of two classes', () => {
  const past = labels(500, index => (index % 2 === 0 ? 'yes' : 'no'));
  /** The champion is mostly wrong. The challenger is too sure of what it gets wrong in some weeks. */
  const surelyWrong = (share: number) =>
    rowsOf(2000, index => {
      const [label, other] = index % 2 === 0 ? ['yes', 'no'] : ['no', 'yes'];
      const isWrong = index % 500 < 500 * share;
      return row([label!, other!, isWrong ? other! : label!], {
        championProbability: 0.05,
        challengerProbability: isWrong ? 0.01 : 0.85,
      });
    });

  it('is beaten by predictions where log-loss leaves it open', () => {
    expect(reasonOf(surelyWrong(0.1), 'Constant', { past })).toMatch(
      /^Constant: passed\. .* log-loss of 0\.69\d+\. .* which may be chance\. A model .* error rate of 0\.5\./,
    );
  });

  it('is not beaten by a higher log-loss, however right the predictions are', () => {
    expect(reasonOf(surelyWrong(0.18), 'Constant', { past })).toMatch(
      /^Constant: inconclusive\. .* higher by 0\.\d+ /,
    );
  });
});

describe('costs', () => {
  const costs = { fraud: { ok: 20 }, ok: { fraud: 1 } };
  const past = labels(500, index => (index % 20 === 0 ? 'fraud' : 'ok'));
  // The champion finds no fraud. The challenger finds all, and takes a fifth of the others for one.
  const rows = rowsOf(1000, index =>
    index % 20 === 0
      ? row(['fraud', 'ok', 'fraud'])
      : row(['ok', 'ok', index % 5 === 1 ? 'fraud' : 'ok']),
  );

  it('decide instead of errors where they are configured', () => {
    const withoutCosts = judgeChallenger('binary', rows, [], { past });
    expect(withoutCosts.reasons[0]).toMatch(/^Comparison: passed\. .* balanced error rate /);
    const decision = judgeChallenger('binary', rows, [], { past, costs, lossBeforeChange: 0.01 });
    expect(decision).toMatchObject({
      verdict: 'promote',
      metrics: { championLoss: 1, challengerLoss: 0.2 },
    });
    expect(decision.reasons[0]).toMatch(/^Comparison: passed\. .* challenger's mean cost is 0\.2 /);
    expect(reasonOf(rows, 'Constant', { past, costs })).toMatch(
      /^Constant: passed\. .* always answers fraud, the cheapest for .* mean cost of 0\.95\./,
    );
  });

  it('of errors that have none are 1', () => {
    const decision = judgeChallenger('binary', rows, [], { past, costs: { fraud: { ok: 2 } } });
    expect(decision).toMatchObject({
      verdict: 'reject',
      metrics: { championLoss: 0.1, challengerLoss: 0.2 },
    });
  });
});

describe('the best constant', () => {
  it('keeps out a challenger that is better than a bad champion only', () => {
    // 20 % are b. The champion errs in 79 %, the challenger in 61 %.
    const rows = rowsOf(1000, index => {
      const [label, other] = index % 5 === 0 ? (['b', 'a'] as const) : (['a', 'b'] as const);
      return row([
        label,
        (index * 37) % 100 < 21 ? label : other,
        (index * 37) % 100 < 39 ? label : other,
      ]);
    });
    const decision = judgeChallenger('binary', rows, [], {
      past: labels(500, index => (index % 5 === 0 ? 'b' : 'a')),
    });
    expect(decision).toMatchObject({ verdict: 'reject', status: 'rejected' });
    expect(decision.reasons[0]).toMatch(
      /^Constant: not passed\. A model that always answers the most frequent class of the earlier labels has a balanced error rate of 0\.5\. The challenger's is higher by 0\.\d+ /,
    );
  });

  it('is the median of a regression, of the whole past or of its newest part', () => {
    const rows = rowsOf(200, index => numberRow(100 + (index % 7), 0, 99));
    const past = Array.from({ length: 1000 }, (_, index) => {
      const labelValue = index < 800 ? 0 : 103;
      return { label: String(labelValue), labelValue };
    });
    expect(judgeChallenger('regression', rows, [], { past })).toMatchObject({
      verdict: 'reject',
      metrics: { constantLoss: expect.closeTo(12 / 7, 1) },
    });
    const near = rowsOf(200, index => numberRow(100 + (index % 7), 0, 100 + (index % 7)));
    expect(judgeChallenger('regression', near, [], { past }).verdict).toBe('promote');
  });
});

describe('classes', () => {
  /** One row in 30 is positive. The champion flags a quarter, and finds 3 of 4 positives. */
  const screening = (challenger: (label: string, index: number) => string) =>
    rowsOf(1200, index => {
      const label = index % 30 === 0 ? 'fraud' : 'fine';
      const champion =
        label === 'fraud'
          ? index % 120 === 0
            ? 'fine'
            : 'fraud'
          : index % 4 === 1
            ? 'fraud'
            : 'fine';
      return row([label, champion, challenger(label, index)]);
    });
  const past = labels(1000, index => (index % 30 === 0 ? 'fraud' : 'fine'));

  it('are not lost to a challenger that never finds the rare one', () => {
    const decision = judgeChallenger(
      'binary',
      screening(() => 'fine'),
      [],
      { past },
    );
    expect(decision.verdict).toBe('reject');
    expect(decision.reasons).toContainEqual(
      "Class fraud: not passed. On the 40 rows with this label, the challenger's recall 0 %, and " +
        "never predicts it; the champion's recall 75 %, precision 9.1 %. At least half of both has to be left.",
    );
  });

  it('may be found better', () => {
    const better = screening((label, index) => (index % 300 === 0 ? 'fine' : label));
    const decision = judgeChallenger('binary', better, [], { past });
    expect(decision.verdict).toBe('promote');
    expect(decision.reasons[0]).toMatch(/^Comparison: passed\. .* balanced error rate /);
    expect(decision.metrics['challengerRecall:fraud']).toBeCloseTo(0.9, 12);
  });

  it('must not be found by flagging everything', () => {
    const all = screening(() => 'fraud');
    expect(judgeChallenger('binary', all, [], { past }).verdict).toBe('reject');
  });

  it('are waited for where the gate rows have hardly any of one', () => {
    const rows = rowsOf(400, index => row(['fine', index % 4 === 0 ? 'fraud' : 'fine', 'fine']));
    const decision = judgeChallenger('binary', rows, [], { past });
    expect(decision.verdict).toBe('inconclusive');
    expect(decision.reasons).toContainEqual(
      'Classes: inconclusive. At least 5 rows are needed of fraud (0 rows).',
    );
  });
});

describe('probabilities', () => {
  const probable = (label: string, champion: number, challenger: number): GateRow =>
    row([label, champion > 0.5 ? label : 'other', challenger > 0.5 ? label : 'other'], {
      championProbability: champion,
      challengerProbability: challenger,
    });

  it('are compared by a loss that one row cannot decide', () => {
    const rows = rowsOf(400, index => probable(index % 2 ? 'a' : 'b', 0.6, index === 0 ? 0 : 0.9));
    const decision = judgeChallenger('binary', rows, []);
    expect(decision.verdict).toBe('promote');
    expect(decision.reasons[0]).toMatch(
      /^Comparison: passed\. .* challenger's log-loss is 0\.1224 /,
    );
  });

  it('are not compared where one row has none', () => {
    const rows = rowsOf(400, index => probable(index % 2 ? 'a' : 'b', 0.4, 0.9));
    rows[5]!.championProbability = null;
    expect(judgeChallenger('binary', rows, []).reasons[0]).toMatch(/error rate is 0 /);
  });

  it('must not hide that predictions have become worse', () => {
    // The challenger is surer where it is right, and wrong more often.
    const rows = rowsOf(1000, index =>
      index % 10 < 3
        ? probable(index % 2 ? 'a' : 'b', 0.51, 0.49)
        : probable(index % 2 ? 'a' : 'b', 0.51, 0.99),
    );
    const decision = judgeChallenger('binary', rows, []);
    expect(decision.verdict).toBe('reject');
    expect(decision.reasons[0]).toMatch(/^Predictions: not passed\. .* higher by 0\.3 /);
  });

  it('must be right on the mean', () => {
    const rows = rowsOf(1000, index => {
      const label = index % 2 ? 'a' : 'b';
      return probable(label, label === 'a' ? 0.55 : 0.52, label === 'a' ? 0.99 : 0.6);
    });
    expect(judgeChallenger('binary', rows, []).reasons[0]).toBe(
      "Calibration: not passed. The challenger's mean probability of b lies 19.5 % below its share, and the champion's 1.5 % below it.",
    );
  });
});

describe('the quality before the change', () => {
  const rows = rowsOf(400, index => numberRow(index % 50, (index % 50) + 14, (index % 50) + 4));

  it('is waited for', () => {
    const decision = judgeChallenger('regression', rows, [], { lossBeforeChange: 1.6 });
    expect(decision.verdict).toBe('inconclusive');
    expect(decision.reasons[0]).toBe(
      "Reach: inconclusive. The challenger's mean absolute error is 4, at least 4. Before the change the champion's was 1.6. Near enough is up to 2, and by chance up to 2.4. More rows may teach more.",
    );
  });

  it('may be missed by chance, but not by twice as much', () => {
    const errors = (large: number) =>
      rowsOf(60, index => numberRow(index, index + 14, index + (index % 10 === 0 ? large : 1)));
    const judge = (large: number) =>
      judgeChallenger('regression', errors(large), [], { lossBeforeChange: 1.6 });
    expect(judge(13).metrics.challengerLoss).toBeCloseTo(2.2, 12);
    expect(judge(13).verdict).toBe('promote');
    expect(judge(17).metrics.challengerLoss).toBeCloseTo(2.6, 12);
    expect(judge(17).verdict).toBe('inconclusive');
  });

  it('is near enough within a quarter', () => {
    const near = { lossBeforeChange: 3.3 };
    expect(judgeChallenger('regression', rows, [], near).verdict).toBe('promote');
    expect(judgeChallenger('regression', rows, []).verdict).toBe('promote');
  });
});

describe('segments', () => {
  it('may be worse within the margin, and small ones are named', () => {
    const random = seededRandom(3);
    const rows = rowsOf(6000, index => {
      const isSmall = index % 200 === 0;
      const worse = index % 2 === 0 && random() < 0.008;
      const segments = { shop: isSmall ? 'kiosk' : index % 2 === 0 ? 'north' : 'south' };
      const label = index % 3 === 0 ? 'a' : 'b';
      const other = label === 'a' ? 'b' : 'a';
      const champion = index % 2 === 1 && random() < 0.2 ? other : label;
      return row([label, champion, worse ? other : label], {
        truth: { label, labelValue: null, segments, weight: 1 },
      });
    });
    const decision = judgeChallenger('binary', rows, ['shop']);
    expect(decision.verdict).toBe('promote');
    expect(decision.reasons).toContainEqual(
      expect.stringMatching(/^Segment shop=north: passed\. .* is higher by 0\.00\d+ /),
    );
    expect(reasonOf(rows, 'Small segments', {}, ['shop'])).toBe(
      'Small segments: not compared. At least 50 rows are needed in shop=kiosk (30 rows).',
    );
  });
});

describe('entities', () => {
  it('widen the interval where their rows are alike', () => {
    const random = seededRandom(11);
    const entities = Array.from({ length: 2000 }, (_, index) => String(index % 200));
    const ofEntity = Array.from({ length: 200 }, () => (random() < 0.5 ? 1 : -1));
    const values = entities.map(entity => ofEntity[Number(entity)]!);
    const alone = meanInterval(values, 0.95);
    const together = meanInterval(values, 0.95, null, entities);
    expect(together.blocks).toBe(200);
    expect(together.mean).toBe(alone.mean);
    // 1.97 · √(1 / 200) for two equally frequent values.
    expect(together.high - together.mean).toBeCloseTo(0.139, 2);
    expect(together.high).toBeGreaterThan(alone.high);
  });

  it('are not used where they are few, or have one row each', () => {
    const values = Array.from({ length: 100 }, (_, index) => index % 3);
    const plain = meanInterval(values, 0.95);
    const few = values.map((_, index) => String(index % 19));
    expect(meanInterval(values, 0.95, null, few)).toEqual(plain);
    const single = values.map((_, index) => String(index));
    expect(meanInterval(values, 0.95, null, single)).toEqual(plain);
  });
});

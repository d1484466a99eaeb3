import { describe, expect, it } from 'vitest';
import type { WindowPerformance } from '../../../services/detector/blocks/windowObservation.ts';
import {
  balancedFigures,
  begunHarm,
  followHarm,
  type Harm,
  harmStatement,
  lossStanding,
  rateFigures,
} from '../../../services/detector/events/harm.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Labels of which a share is wrong; of the rare class 10 in 100, of which a share is found. */
function labels(labelled: number, errorRate: number, recall = 0.8): WindowPerformance {
  const rare = Math.round(labelled / 10);
  const found = Math.round(rare * recall);
  const wrong = Math.round(labelled * errorRate);
  return {
    task: 'binary',
    labelled,
    lossSum: wrong,
    lossSquareSum: wrong,
    labelCounts: new Map([['fraud', rare]]),
    predictedCounts: new Map([['fraud', found]]),
    rightCounts: new Map([['fraud', found]]),
  };
}

const outputsAt = (distance: number) => ({
  performance: null,
  outputs: { distance, records: 100 },
});

describe('lossStanding', () => {
  const before = labels(5_000, 0.1);

  it.each([
    ['is over where the rate is as before', labels(600, 0.1), 'over'],
    ['is left where the rate has doubled', labels(200, 0.2), 'left'],
    ['is open while 200 labels could be either', labels(200, 0.13), null],
    ['is open with fewer than 200 labels', labels(199, 0.5), null],
    ['is over by the figure itself after 2,000 labels', labels(2_000, 0.119), 'over'],
    ['is left by the figure itself after 2,000 labels', labels(2_000, 0.1205), 'left'],
  ] as const)('%s', (_, recent, standing) => {
    expect(lossStanding(before, recent, [])).toBe(standing);
  });

  it('is left where a class that became worse is still found less often', () => {
    const recent = labels(2_000, 0.1, 0.4);
    const standing = (now: WindowPerformance) =>
      lossStanding(before, now, rateFigures(before, now, ['fraud']));
    expect(lossStanding(before, recent, [])).toBe('over');
    expect(standing(recent)).toBe('left');
    expect(standing(labels(2_000, 0.1))).toBe('over');
  });
});

describe('figures of classes', () => {
  const ofClass = (frauds: number, predicted: number, right: number): WindowPerformance => ({
    ...labels(2_000, 0.04),
    labelCounts: new Map([['fraud', frauds]]),
    predictedCounts: new Map([['fraud', predicted]]),
    rightCounts: new Map([['fraud', right]]),
  });
  const before = ofClass(400, 480, 240);

  it('are open while a few records of a class are missed by chance', () => {
    const few = { ...ofClass(2, 2, 0), labelled: 200, lossSum: 8, lossSquareSum: 8 };
    for (const figures of [rateFigures, balancedFigures])
      expect(lossStanding(before, few, figures(before, few, ['fraud']))).toBeNull();
  });

  it('let another version find less of a class, if it raises as much fewer false alarms', () => {
    const other = ofClass(400, 290, 200);
    expect(lossStanding(before, other, rateFigures(before, other, ['fraud']))).toBe('left');
    expect(lossStanding(before, other, balancedFigures(before, other, ['fraud']))).toBe('over');
  });

  it('know the standard error of 1 − F1', () => {
    const random = seededRandom(7);
    const [hitShare, missShare, falseShare, records] = [0.03, 0.02, 0.025, 2_000];
    const drawn = Array.from({ length: 2_000 }, () => {
      let [hits, errors] = [0, 0];
      for (let record = 0; record < records; record++) {
        const place = random();
        if (place < hitShare) hits++;
        else if (place < hitShare + missShare + falseShare) errors++;
      }
      return errors / (2 * hits + errors);
    });
    const center = mean(drawn);
    const spread = Math.sqrt(mean(drawn.map(value => (value - center) ** 2)));
    const expected = ofClass(records * 0.05, records * 0.055, records * hitShare);
    const endless = ofClass(5_000_000, 5_500_000, 3_000_000);
    const [figure] = balancedFigures(endless, expected, ['fraud']);
    expect(figure!.now).toBeCloseTo(1 - (2 * 0.03) / (0.05 + 0.055), 10);
    expect(figure!.standardError / spread).toBeGreaterThan(0.94);
    expect(figure!.standardError / spread).toBeLessThan(1.06);
  });
});

describe('followHarm', () => {
  const follow = (harm: Harm, ...rates: number[]) =>
    rates.reduce(
      (known, rate) => followHarm(known, { performance: labels(200, rate), outputs: null }, []),
      harm,
    );

  it('judges the newest labels anew, so that what came before does not stay', () => {
    const harm = begunHarm(labels(5_000, 0.1), null);
    const left = follow(harm, 0.4, 0.4);
    expect(left).toMatchObject({ standing: 'left', wasFound: true });
    expect(follow(left, 0.1, 0.1, 0.1)).toMatchObject({ standing: 'over', wasFound: true });
    expect(harmStatement(left, [])).toBe(
      'The error rate was 10 % before the drift, and is 40 % of the newest 200 labels.',
    );
  });

  it('goes by the outputs where there were too few labels before', () => {
    const harm = begunHarm(labels(199, 0.1), 0.05);
    const moved = [outputsAt(0.3), outputsAt(0.3)].reduce(
      (known, window) => followHarm(known, window, []),
      harm,
    );
    expect(moved).toMatchObject({ standing: 'left', judgedOutputs: 0.3 });
    const back = [outputsAt(0.14), outputsAt(0.16)].reduce(
      (known, window) => followHarm(known, window, []),
      moved,
    );
    expect(back.standing).toBe('over');
  });
});

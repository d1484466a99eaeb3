import { describe, expect, it } from 'vitest';
import { estimateLoss } from '../../../services/evaluator/estimates/quality/estimatedLoss.ts';
import {
  calibrateLoss,
  type LabelledNumber,
  type LossCalibration,
} from '../../../services/evaluator/estimates/quality/lossCalibration.ts';
import { runInTurns } from '../../../services/evaluator/estimates/runInTurns.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';

/**
 * Draws predictions with normal errors. Their deviation grows with x, and is three times as large
 * where group b comes with a high y, which no margin of a feature shows.
 */
function drawn(seed: number, count: number, { shift = 0, together = 0.3 } = {}): LabelledNumber[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const x = Math.min(1, random() + shift);
    const high = random() < 0.5;
    const group = random() < (high ? together : 0.6 - together) ? 'b' : 'a';
    const y = high ? 0.5 + random() / 2 : random() / 2;
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const predicted = 10 * x + 5 * y;
    return {
      predicted,
      label: predicted + (1 + 2 * x) * (group === 'b' && high ? 3 : 1) * normal,
      features: new Map<string, string | number>([
        ['group', group],
        ['x', x],
        ['y', y],
      ]),
    };
  });
}

function realised(records: readonly LabelledNumber[]) {
  const mean = (of: (error: number) => number) =>
    records.reduce((sum, { predicted, label }) => sum + of(predicted - label), 0) / records.length;
  return { mae: mean(Math.abs), rmse: Math.sqrt(mean(error => error * error)) };
}

const estimate = (calibration: LossCalibration, sample: readonly LabelledNumber[]) =>
  estimateLoss(calibration, { records: sample.length, sample });

describe('estimateLoss', { timeout: 300_000 }, () => {
  it('gives intervals that hold the realised value in 95 % of the windows if only inputs change', async () => {
    const windows = 200;
    const inside = { mae: 0, rmse: 0 };
    const calibrations = 10;
    for (let learned = 0; learned < calibrations; learned++) {
      const calibration = await runInTurns(calibrateLoss(drawn(learned + 1, 2000)));
      for (let window = learned; window < windows; window += calibrations) {
        const records = drawn(1000 + window, 400, {
          shift: window % 20 < 10 ? 0.3 : 0,
          together: window % 3 ? 0.3 : 0.5,
        });
        const { mae, rmse } = estimate(calibration, records);
        const truth = realised(records);
        inside.mae += Number(truth.mae >= mae!.lower && truth.mae <= mae!.upper);
        inside.rmse += Number(truth.rmse >= rmse!.lower && truth.rmse <= rmse!.upper);
      }
    }
    for (const count of Object.values(inside)) {
      expect(count / windows).toBeGreaterThan(0.88);
      expect(count / windows).toBeLessThan(1);
    }
  });

  it('sees errors that depend on two features jointly, although their margins stay the same', async () => {
    const calibration = await runInTurns(calibrateLoss(drawn(1, 4000)));
    const usual = drawn(2, 4000);
    const together = drawn(3, 4000, { together: 0.55 });
    const [before, after] = [realised(usual), realised(together)];
    expect(after.mae / before.mae).toBeGreaterThan(1.15);
    for (const metric of ['mae', 'rmse'] as const) {
      const moved =
        estimate(calibration, together)[metric]!.value -
        estimate(calibration, usual)[metric]!.value;
      expect(moved / (after[metric] - before[metric]), metric).toBeGreaterThan(0.7);
      expect(moved / (after[metric] - before[metric]), metric).toBeLessThan(1.3);
    }
  });

  it('counts records as what they stand for', async () => {
    const calibration = await runInTurns(calibrateLoss(drawn(1, 2000)));
    const windows = 60;
    const compared = 20;
    const inside = { mae: 0, rmse: 0 };
    let [weighted, plain, truth] = [0, 0, 0];
    for (let window = 0; window < windows; window++) {
      // A tenth of the records with a high x, whose errors are large, is logged.
      const random = seededRandom(window);
      const all = drawn(1000 + window, 1000);
      const isSampled = ({ features }: LabelledNumber) => Number(features.get('x')) > 0.5;
      const records = all.filter(record => !isSampled(record) || random() < 0.1);
      const weights = records.map(record => (isSampled(record) ? 10 : 1));
      const errors = records.map(({ predicted, label }) => Math.abs(predicted - label));
      const mean = (values: readonly number[]) =>
        values.reduce((sum, value, index) => sum + value * weights[index]!, 0) /
        weights.reduce((sum, weight) => sum + weight, 0);
      const real = { mae: mean(errors), rmse: Math.sqrt(mean(errors.map(error => error ** 2))) };
      const { mae, rmse } = estimateLoss(calibration, {
        records: records.length,
        sample: records,
        weights,
      });
      inside.mae += Number(real.mae >= mae!.lower && real.mae <= mae!.upper);
      inside.rmse += Number(real.rmse >= rmse!.lower && real.rmse <= rmse!.upper);
      if (window >= compared) continue;
      weighted += mae!.value / compared;
      plain += estimate(calibration, records).mae!.value / compared;
      truth += real.mae / compared;
    }
    for (const count of Object.values(inside)) expect(count / windows).toBeGreaterThan(0.88);
    expect(Math.abs(weighted / truth - 1)).toBeLessThan(0.05);
    expect(plain / truth).toBeLessThan(0.9);
  });

  it('is exact if all errors are equal', async () => {
    const records = drawn(1, 200).map(record => ({ ...record, predicted: record.label + 3 }));
    const exact = {
      value: expect.closeTo(3, 9),
      lower: expect.closeTo(3, 9),
      upper: expect.closeTo(3, 9),
    };
    expect(estimate(await runInTurns(calibrateLoss(records)), records.slice(0, 50))).toEqual({
      mae: exact,
      rmse: exact,
    });
  });

  it('gives wider intervals if only a sample of the records is known', async () => {
    const calibration = await runInTurns(calibrateLoss(drawn(1, 2000)));
    const sample = drawn(2, 500);
    const width = (records: number) => {
      const { lower, upper } = estimateLoss(calibration, { records, sample }).mae!;
      return upper - lower;
    };
    expect(width(5000)).toBeLessThan(width(500));
    expect(width(1e12)).toBeGreaterThan(0.01);
  });

  it('gives null if the losses are too large for a number', async () => {
    const huge = drawn(1, 100).map(record => ({ ...record, predicted: 1e154, label: 0 }));
    expect(estimate(await runInTurns(calibrateLoss(huge)), huge).rmse).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { binaryMetrics } from '../../../services/evaluator/estimates/quality/estimate.ts';
import { estimateQuality } from '../../../services/evaluator/estimates/quality/estimatedQuality.ts';
import { predictedRecords } from '../../../services/evaluator/estimates/quality/predictedRecords.ts';
import {
  calibrateQuality,
  type LabelledRecord,
} from '../../../services/evaluator/estimates/quality/qualityCalibration.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';
import { bucketKey } from '../../../services/shared/profile/bucketKey.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  mergeFeatureProfiles,
} from '../../../services/shared/profile/featureProfile.ts';
import { mergeNumericHistograms } from '../../../services/shared/profile/numericHistogram.ts';
import { histogramOf, profileOf } from '../shared/profile/profileOf.ts';

type Scored = Pick<LabelledRecord, 'score' | 'predictedPositive' | 'features'>;

function windowOf(records: readonly Scored[]) {
  const features = new Map<string, FeatureProfile>();
  for (const { features: values } of records) {
    for (const [name, value] of values) {
      if (!features.has(name)) features.set(name, emptyFeatureProfile());
      addValue(features.get(name)!, value);
    }
  }
  return {
    records: records.length,
    scores: histogramOf(records.map(({ score }) => score)),
    predictedPositives: records.filter(({ predictedPositive }) => predictedPositive).length,
    features,
  };
}

/** A window whose records have weights, with each score in a bucket of its own. */
function weightedWindowOf(records: readonly LabelledRecord[]) {
  const weightOf = ({ weight = 1 }: LabelledRecord) => weight;
  return {
    ...windowOf(records),
    weighted: {
      keys: records.map(({ score }) => bucketKey(score)),
      weights: records.map(weightOf),
      squares: records.map(record => weightOf(record) ** 2),
      predictedPositives: records
        .filter(({ predictedPositive }) => predictedPositive)
        .reduce((sum, record) => sum + weightOf(record), 0),
    },
  };
}

/** Logs a fifth of the records with a high score, as samples with a weight of 5. */
function sampled(seed: number, records: readonly LabelledRecord[]): LabelledRecord[] {
  const random = seededRandom(seed);
  return records.flatMap(record => {
    if (record.score < 0.5) return [record];
    return random() < 0.2 ? [{ ...record, weight: 5 }] : [];
  });
}

const repeat = (count: number, score: number, positives: number): LabelledRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    score,
    predictedPositive: score >= 0.5,
    positive: index < positives,
    features: new Map(),
  }));

/**
 * Draws records whose score depends on x and is over-confident, as the true odds are the square
 * root of its odds. Records of group b are positive half as often, which the score does not know.
 */
function drawn(seed: number, count: number, { shift = 0, groupB = 0.2 } = {}): LabelledRecord[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const x = 6 * (random() - 0.5) + shift;
    const group = random() < groupB ? 'b' : 'a';
    const probability = 1 / (1 + Math.exp(-x));
    const score = 1 / (1 + Math.exp(-2 * x));
    const positive = random() < (group === 'b' ? probability / 2 : probability);
    return {
      score,
      predictedPositive: score >= 0.5,
      positive,
      features: new Map<string, string | number>([
        ['group', group],
        ['x', x],
      ]),
    };
  });
}

function realised(records: readonly LabelledRecord[]) {
  const count = (of: (record: LabelledRecord) => boolean) =>
    records.filter(of).reduce((sum, { weight = 1 }) => sum + weight, 0);
  const hits = count(record => record.positive && record.predictedPositive);
  const precision = hits / count(record => record.predictedPositive);
  const recall = hits / count(record => record.positive);
  return {
    accuracy: count(record => record.positive === record.predictedPositive) / count(() => true),
    precision,
    recall,
    f1: (2 * precision * recall) / (precision + recall),
    auc: calibrateQuality(records).auc!,
  };
}

describe('estimateQuality', () => {
  it('applies the rates of the calibration to the scores of the window', () => {
    const calibration = calibrateQuality([...repeat(100, 0.25, 20), ...repeat(100, 0.75, 90)]);
    const estimates = estimateQuality(
      calibration,
      windowOf([...repeat(30, 0.25, 0), ...repeat(10, 0.75, 0)]),
    );
    // 6 + 9 of 40 are positive and 10 are predicted positive, so 24 + 9 are right. Positives are
    // above negatives in 6 · 24 / 2 + 9 · (24 + 1 / 2) of 15 · 25 pairs.
    const expected = {
      accuracy: 33 / 40,
      precision: 9 / 10,
      recall: 9 / 15,
      f1: 18 / 25,
      auc: 292.5 / 375,
    };
    for (const metric of binaryMetrics) {
      expect(estimates[metric]!.value, metric).toBeCloseTo(expected[metric], 12);
      expect(estimates[metric]!.lower).toBeLessThan(expected[metric]);
      expect(estimates[metric]!.upper).toBeGreaterThan(expected[metric]);
    }
    // Binomial variances of the window and of the calibration, with (k + 1) / (n + 2) as the rates.
    const variance = (count: number, rate: number) =>
      rate * (1 - rate) * (count + count ** 2 / 102);
    const half =
      (1.959963984540054 * Math.sqrt(variance(30, 21 / 102) + variance(10, 91 / 102))) / 40;
    expect(estimates.accuracy!.upper - estimates.accuracy!.value).toBeCloseTo(half, 12);
  });

  it('gives intervals that hold the realised value in 95 % of the windows if only inputs change', () => {
    const calibration = calibrateQuality(drawn(1, 4000));
    const windows = 200;
    const inside = Object.fromEntries(binaryMetrics.map(metric => [metric, 0]));
    for (let index = 0; index < windows; index++) {
      const records = drawn(1000 + index, 400, { shift: index % 2 });
      const estimates = estimateQuality(calibration, windowOf(records));
      const truth = realised(records);
      for (const metric of binaryMetrics) {
        const { lower, upper } = estimates[metric]!;
        inside[metric]! += Number(truth[metric] >= lower && truth[metric] <= upper);
      }
    }
    for (const metric of binaryMetrics)
      expect(inside[metric]! / windows, metric).toBeGreaterThan(0.88);
  });

  it('counts records as what they stand for, in the window and in the calibration', () => {
    const calibration = calibrateQuality(sampled(1, drawn(1, 8000)));
    const windows = 200;
    const inside = Object.fromEntries(binaryMetrics.map(metric => [metric, 0]));
    const [weighted, plain, truth] = [
      [0, 0],
      [0, 0],
      [0, 0],
    ];
    for (let index = 0; index < windows; index++) {
      const records = sampled(2000 + index, drawn(1000 + index, 800, { shift: index % 2 }));
      const estimates = estimateQuality(calibration, weightedWindowOf(records));
      const real = realised(records);
      for (const metric of binaryMetrics) {
        const { lower, upper } = estimates[metric]!;
        inside[metric]! += Number(real[metric] >= lower && real[metric] <= upper);
      }
      weighted[index % 2]! += estimates.recall!.value / 100;
      plain[index % 2]! += estimateQuality(calibration, windowOf(records)).recall!.value / 100;
      truth[index % 2]! += real.recall / 100;
    }
    for (const metric of binaryMetrics)
      expect(inside[metric]! / windows, metric).toBeGreaterThan(0.88);
    for (const shift of [0, 1]) {
      expect(Math.abs(weighted[shift]! - truth[shift]!)).toBeLessThan(0.02);
      expect(Math.abs(plain[shift]! - truth[shift]!)).toBeGreaterThan(0.1);
    }
  });

  it('gives about the same for records of weight 7 as for records without a weight', () => {
    const heavy = (records: LabelledRecord[]) => records.map(record => ({ ...record, weight: 7 }));
    const [before, window] = [drawn(1, 4000), drawn(2, 400)];
    const plain = estimateQuality(calibrateQuality(before), windowOf(window));
    const weighted = estimateQuality(
      calibrateQuality(heavy(before)),
      weightedWindowOf(heavy(window)),
    );
    for (const metric of binaryMetrics) {
      for (const bound of ['value', 'lower', 'upper'] as const)
        expect(weighted[metric]![bound], metric).toBeCloseTo(plain[metric]![bound], 2);
    }
  });

  it('uses a feature to see a change that scores do not show', () => {
    const calibration = calibrateQuality(drawn(1, 4000));
    const records = drawn(2, 4000, { groupB: 0.8 });
    const window = windowOf(records);
    const truth = realised(records);
    const withFeatures = estimateQuality(calibration, window);
    const without = estimateQuality(calibration, { ...window, features: new Map() });
    for (const metric of ['accuracy', 'precision'] as const) {
      expect(Math.abs(without[metric]!.value - truth[metric]), metric).toBeGreaterThan(0.06);
      expect(Math.abs(withFeatures[metric]!.value - truth[metric]), metric).toBeLessThan(0.03);
    }
  });

  it('gives the same estimates from merged profiles as from one pass', () => {
    const calibration = calibrateQuality(drawn(1, 2000));
    const records = drawn(2, 1500);
    const parts = [
      windowOf(records.slice(0, 400)),
      windowOf(records.slice(400, 410)),
      windowOf(records.slice(410)),
    ].reverse();
    const merged = {
      records: 1500,
      scores: mergeNumericHistograms(...parts.map(({ scores }) => scores)),
      predictedPositives: parts.reduce((sum, part) => sum + part.predictedPositives, 0),
      features: new Map(
        ['x', 'group'].map(name => [
          name,
          mergeFeatureProfiles(...parts.map(part => part.features.get(name)!)),
        ]),
      ),
    };
    expect(estimateQuality(calibration, merged)).toEqual(
      estimateQuality(calibration, windowOf(records)),
    );
  });

  it('gives null for metrics that are undefined', () => {
    const calibration = calibrateQuality([...repeat(100, 0.25, 20), ...repeat(100, 0.75, 90)]);
    const nothingPredicted = estimateQuality(calibration, windowOf(repeat(50, 0.25, 0)));
    expect(nothingPredicted.precision).toBeNull();
    expect(nothingPredicted.accuracy!.value).toBeCloseTo(0.8, 12);
    const neverPositive = estimateQuality(
      calibrateQuality(repeat(100, 0.25, 0)),
      windowOf(repeat(50, 0.25, 0)),
    );
    expect(neverPositive).toMatchObject({ recall: null, f1: null, auc: null });
  });

  it('estimates only the area under the curve if predictions do not follow from scores', () => {
    const records = drawn(1, 2000).map((record, index) => ({
      ...record,
      predictedPositive: index % 2 === 0,
    }));
    const estimates = estimateQuality(calibrateQuality(records), windowOf(records));
    expect(estimates).toMatchObject({ accuracy: null, precision: null, recall: null, f1: null });
    expect(estimates.auc!.value).toBeCloseTo(realised(records).auc, 2);
  });
});

describe('predictedPositives', () => {
  it('counts a class that is given as text or as a number', () => {
    expect(predictedRecords(profileOf(['up', 'down', 'up']), ['up'])).toBe(2);
    expect(predictedRecords(profileOf([1, 0, 1, 1]), ['1'])).toBe(3);
    expect(predictedRecords(profileOf([true, false, true]), ['true'])).toBe(2);
    expect(predictedRecords(profileOf([0, 0]), ['1'])).toBe(0);
    expect(
      predictedRecords(profileOf(Array.from({ length: 2000 }, (_, index) => `c${index}`)), ['c1']),
    ).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import {
  type ClassifiedRecord,
  calibrateClasses,
} from '../../../services/evaluator/estimates/quality/classCalibration.ts';
import type { ClassMetric } from '../../../services/evaluator/estimates/quality/estimate.ts';
import { estimateClassQuality } from '../../../services/evaluator/estimates/quality/estimatedClassQuality.ts';
import { seededRandom } from '../../../services/shared/model/seededRandom.ts';
import { bucketKey } from '../../../services/shared/profile/bucketKey.ts';
import { histogramOf, profileOf } from '../shared/profile/profileOf.ts';

const metrics: ClassMetric[] = ['accuracy', 'precision', 'recall', 'f1'];
const classes = ['a', 'b', 'c'];

function windowOf(records: readonly ClassifiedRecord[]) {
  const byClass = Map.groupBy(records, ({ predicted }) => predicted);
  return {
    records: records.length,
    confidences: new Map(
      [...byClass].map(([name, of]) => [name, histogramOf(of.map(({ confidence }) => confidence))]),
    ),
    features: new Map([['group', profileOf(records.map(({ features }) => features.get('group')))]]),
  };
}

const repeat = (
  count: number,
  predicted: string,
  confidence: number,
  label: string,
): ClassifiedRecord[] =>
  Array.from({ length: count }, () => ({ predicted, confidence, label, features: new Map() }));

/**
 * Draws predictions of an over-confident model. In group x they are right half as often, which the
 * model does not know.
 */
function drawn(seed: number, count: number, { groupX = 0.2, sure = 0 } = {}): ClassifiedRecord[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const confidence = 0.4 + 0.6 * random() ** (1 - sure);
    const predicted = classes[Math.floor(random() * 3)]!;
    const group = random() < groupX ? 'x' : 'y';
    const right = random() < (group === 'x' ? confidence / 2 : confidence * 0.9);
    const label = right
      ? predicted
      : classes[(classes.indexOf(predicted) + 1 + Math.floor(random() * 2)) % 3]!;
    return { predicted, confidence, label, features: new Map([['group', group]]) };
  });
}

/** A window whose records have weights, with each confidence in a bucket of its own. */
function weightedWindowOf(records: readonly ClassifiedRecord[]) {
  const byClass = Map.groupBy(records, ({ predicted }) => predicted);
  const weighted = Array.from(byClass, ([name, of]) => {
    const weights = of.map(({ weight = 1 }) => weight);
    const keys = of.map(({ confidence }) => bucketKey(confidence));
    return [name, { keys, weights, squares: weights.map(weight => weight ** 2) }] as const;
  });
  return { ...windowOf(records), weighted: new Map(weighted) };
}

/** Logs a fifth of the sure records, as samples with a weight of 5. */
function sampled(seed: number, records: readonly ClassifiedRecord[]): ClassifiedRecord[] {
  const random = seededRandom(seed);
  return records.flatMap(record => {
    if (record.confidence < 0.7) return [record];
    return random() < 0.2 ? [{ ...record, weight: 5 }] : [];
  });
}

function realised(records: readonly ClassifiedRecord[]): Record<ClassMetric, number> {
  const count = (of: (record: ClassifiedRecord) => boolean) =>
    records.filter(of).reduce((sum, { weight = 1 }) => sum + weight, 0);
  const mean = (of: (name: string) => number) =>
    classes.reduce((sum, name) => sum + of(name) / 3, 0);
  const hits = (name: string) =>
    count(({ predicted, label }) => predicted === name && label === name);
  const predicted = (name: string) => count(record => record.predicted === name);
  const labelled = (name: string) => count(({ label }) => label === name);
  return {
    accuracy: count(record => record.predicted === record.label) / count(() => true),
    precision: mean(name => hits(name) / predicted(name)),
    recall: mean(name => hits(name) / labelled(name)),
    f1: mean(name => (2 * hits(name)) / (predicted(name) + labelled(name))),
  };
}

describe('estimateClassQuality', () => {
  it('applies the label shares of the calibration to the predictions of the window', () => {
    const calibration = calibrateClasses([
      ...repeat(60, 'a', 0.75, 'a'),
      ...repeat(20, 'a', 0.75, 'b'),
      ...repeat(20, 'a', 0.75, 'c'),
      ...repeat(90, 'b', 0.75, 'b'),
      ...repeat(10, 'b', 0.75, 'a'),
    ]);
    const estimates = estimateClassQuality(
      calibration,
      windowOf([...repeat(20, 'a', 0.75, ''), ...repeat(10, 'b', 0.75, '')]),
    );
    // Of 20 predictions of a, the labels are 12 a, 4 b and 4 c; of 10 predictions of b, they are 9
    // b and 1 a. Class c is never predicted, so its precision counts as 0.
    expect(estimates.accuracy!.value).toBeCloseTo(21 / 30, 12);
    expect(estimates.precision!.value).toBeCloseTo((12 / 20 + 9 / 10 + 0) / 3, 12);
    expect(estimates.recall!.value).toBeCloseTo((12 / 13 + 9 / 13 + 0) / 3, 12);
    expect(estimates.f1!.value).toBeCloseTo((24 / 33 + 18 / 23 + 0) / 3, 12);
  });

  it('gives intervals that hold the realised value in 95 % of the windows if only inputs change', () => {
    const calibration = calibrateClasses(drawn(1, 4000));
    const windows = 200;
    const inside = Object.fromEntries(metrics.map(metric => [metric, 0]));
    for (let index = 0; index < windows; index++) {
      const records = drawn(1000 + index, 400, { sure: index % 2 ? 0.5 : 0 });
      const estimates = estimateClassQuality(calibration, windowOf(records));
      const truth = realised(records);
      for (const metric of metrics) {
        const { lower, upper } = estimates[metric]!;
        inside[metric]! += Number(truth[metric] >= lower && truth[metric] <= upper);
      }
    }
    for (const metric of metrics) {
      expect(inside[metric]! / windows, metric).toBeGreaterThan(0.88);
      expect(inside[metric]! / windows, metric).toBeLessThan(1);
    }
  });

  it('counts records as what they stand for, in the window and in the calibration', () => {
    const calibration = calibrateClasses(sampled(1, drawn(1, 8000)));
    const windows = 200;
    const inside = Object.fromEntries(metrics.map(metric => [metric, 0]));
    let [weighted, plain, truth] = [0, 0, 0];
    for (let index = 0; index < windows; index++) {
      const records = sampled(
        2000 + index,
        drawn(1000 + index, 800, { sure: index % 2 ? 0.3 : 0 }),
      );
      const estimates = estimateClassQuality(calibration, weightedWindowOf(records));
      const real = realised(records);
      for (const metric of metrics) {
        const { lower, upper } = estimates[metric]!;
        inside[metric]! += Number(real[metric] >= lower && real[metric] <= upper);
      }
      weighted += estimates.accuracy!.value / windows;
      plain += estimateClassQuality(calibration, windowOf(records)).accuracy!.value / windows;
      truth += real.accuracy / windows;
    }
    for (const metric of metrics) expect(inside[metric]! / windows, metric).toBeGreaterThan(0.88);
    expect(Math.abs(weighted - truth)).toBeLessThan(0.02);
    expect(Math.abs(plain - truth)).toBeGreaterThan(0.05);
  });

  it('uses a feature to see a change that confidences do not show', () => {
    const calibration = calibrateClasses(drawn(1, 4000));
    const records = drawn(2, 4000, { groupX: 0.8 });
    const truth = realised(records);
    const withFeatures = estimateClassQuality(calibration, windowOf(records));
    const without = estimateClassQuality(calibration, {
      ...windowOf(records),
      features: new Map(),
    });
    for (const metric of metrics) {
      expect(Math.abs(without[metric]!.value - truth[metric]), metric).toBeGreaterThan(0.1);
      expect(Math.abs(withFeatures[metric]!.value - truth[metric]), metric).toBeLessThan(0.03);
    }
  });

  it('gives null if the window has a class that the calibration never predicted', () => {
    const calibration = calibrateClasses(drawn(1, 1000));
    const strange = windowOf([...drawn(2, 100), ...repeat(2, 'd', 0.75, '')]);
    expect(estimateClassQuality(calibration, strange)).toEqual({
      accuracy: null,
      precision: null,
      recall: null,
      f1: null,
    });
  });
});

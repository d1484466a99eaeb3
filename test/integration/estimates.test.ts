import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import {
  type ClassifiedRecord,
  calibrateClasses,
} from '../../services/evaluator/estimates/quality/classCalibration.ts';
import { binaryMetrics } from '../../services/evaluator/estimates/quality/estimate.ts';
import { estimateClassQuality } from '../../services/evaluator/estimates/quality/estimatedClassQuality.ts';
import { estimateLoss } from '../../services/evaluator/estimates/quality/estimatedLoss.ts';
import { estimateQuality } from '../../services/evaluator/estimates/quality/estimatedQuality.ts';
import {
  calibrateLoss,
  type LabelledNumber,
} from '../../services/evaluator/estimates/quality/lossCalibration.ts';
import { calibrateQuality } from '../../services/evaluator/estimates/quality/qualityCalibration.ts';
import { runInTurns } from '../../services/evaluator/estimates/runInTurns.ts';
import { maxSampledRecords } from '../../services/evaluator/estimates/store/sampledWindows.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import {
  type Feedback,
  type Prediction,
  predictionDefaults,
} from '../../services/shared/contracts.ts';
import { seededRandom } from '../../services/shared/model/seededRandom.ts';
import { bucketKey } from '../../services/shared/profile/bucketKey.ts';
import type { FeatureValue } from '../../services/shared/profile/featureProfile.ts';
import {
  addToBucket,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../services/shared/profile/numericHistogram.ts';
import { announceWindows } from '../../services/shared/windows/announceWindows.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { histogramOf, profileOf } from '../unit/shared/profile/profileOf.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);
const perWindow = 120;
const windows = 12;
/**
 * The calibrations are complete at 200, 400, 800 and 1600 labels. This stream reaches the first
 * three.
 */
const bootstrapRecords = 200;
const labelledFirst = 7;

interface Truth {
  prediction: Prediction;
  label: string | number;
}

/**
 * Returns the records of each window. The model is over-confident. From window 8 on group b is
 * common, which the model does not consider.
 */
function stream(model: string): Truth[][] {
  const random = seededRandom(7);
  return Array.from({ length: windows }, (_, window) =>
    Array.from({ length: perWindow }, (_, index) => {
      const x = 6 * (random() - 0.5);
      const group = random() < (window < 8 ? 0.2 : 0.7) ? 'b' : 'a';
      const probability = (group === 'b' ? 0.5 : 1) / (1 + Math.exp(-x));
      const score = 1 / (1 + Math.exp(-2 * x));
      const prediction: Prediction = {
        ...predictionDefaults,
        id: `${model}-${window}-${index}`,
        model,
        version: '1',
        time: startMs + window * hourMs + index * 1000,
        features: index % 10 === 0 ? { x, group: null } : { x, group },
        prediction: score >= 0.5 ? 'yes' : 'no',
        score,
      };
      return { prediction, label: random() < probability ? 'yes' : 'no' };
    }),
  );
}

describe('estimated quality', { timeout: 300_000 }, () => {
  let configFolder: string;
  let config: string;
  let installation: Installation;
  let evaluator: ServiceProcess;
  let encodePrediction: (prediction: Prediction) => Buffer;
  let encodeFeedback: (feedback: Feedback) => Buffer;
  beforeAll(async () => {
    configFolder = await mkdtemp(join(tmpdir(), 'driftloop-estimates-'));
    config = join(configFolder, 'driftloop.yaml');
    await writeFile(config, `defaults: { detection: { bootstrapRecords: ${bootstrapRecords} } }\n`);
    installation = await freshInstallation({ DRIFTLOOP_CONFIG: config });
    encodePrediction = await installation.schemas.encoder<Prediction>(
      'Prediction',
      topic('predictions'),
    );
    encodeFeedback = await installation.schemas.encoder<Feedback>('Feedback', topic('feedback'));
    [, evaluator] = await Promise.all([
      installation.startService('profiler'),
      installation.startService('evaluator'),
    ]);
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await rm(configFolder, { recursive: true });
  });

  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = () => installation.untilQuiet('profiler', 'evaluator');
  const predict = (records: readonly Truth[]) =>
    installation.producer.send({
      topic: topic('predictions'),
      messages: records.map(({ prediction }) => ({
        key: prediction.id,
        value: encodePrediction(prediction),
      })),
    });
  const label = (records: readonly Truth[]) =>
    installation.producer.send({
      topic: topic('feedback'),
      messages: records.map(({ prediction: { id }, label: truth }) => ({
        key: id,
        value: encodeFeedback({
          id,
          label: truth,
          time: startMs + 1000 * hourMs,
          model: null,
          value: null,
        }),
      })),
    });
  const rows = (model: string) =>
    installation.clickhouse.select<Record<string, number | string | null>>(
      `SELECT dateDiff('hour', fromUnixTimestamp64Milli(${startMs}), window_start) AS window, metric, status, estimate, lower, upper, records,
              calibration_step, calibration_records, dateDiff('hour', fromUnixTimestamp64Milli(${startMs}), calibration_to) AS calibrated
       FROM estimated_quality FINAL WHERE model = {model:String} ORDER BY window, metric`,
      { model },
    );

  /** Returns the rows of a window from one pass, calibrated on the first `calibrated` windows. */
  function expectedRows(
    truth: readonly Truth[][],
    window: number,
    calibrated: number,
    step: number,
  ) {
    const calibration = calibrateQuality(
      truth.slice(0, calibrated).flatMap(records =>
        records.map(({ prediction: { score, prediction, features, weight }, label: truth }) => ({
          score: score!,
          predictedPositive: prediction === 'yes',
          positive: truth === 'yes',
          features: new Map(Object.entries(features as Record<string, FeatureValue>)),
          weight: weight ?? 1,
        })),
      ),
    );
    const predictions = truth[window]!.map(({ prediction }) => prediction);
    const estimates = estimateQuality(calibration, {
      records: perWindow,
      scores: histogramOf(predictions.map(({ score }) => score!)),
      predictedPositives: predictions.filter(({ prediction }) => prediction === 'yes').length,
      weighted: predictions.some(({ weight }) => weight !== null)
        ? {
            ...weightedScores(predictions.map(({ score, weight }) => [score!, weight ?? 1])),
            predictedPositives: predictions.reduce(
              (sum, { prediction, weight }) => sum + (prediction === 'yes' ? (weight ?? 1) : 0),
              0,
            ),
          }
        : undefined,
      features: new Map(
        ['x', 'group'].map(name => [
          name,
          profileOf(predictions.map(({ features }) => features[name])),
        ]),
      ),
    });
    return [...binaryMetrics].sort().map(metric => ({
      window,
      metric,
      status: 'estimated',
      estimate: estimates[metric]!.value,
      lower: estimates[metric]!.lower,
      upper: estimates[metric]!.upper,
      records: perWindow,
      calibration_step: step,
      calibration_records: calibrated * perWindow,
      calibrated,
    }));
  }

  it('is available before the labels, stays when they arrive, and is shown beside the realised quality', async () => {
    const model = 'estimated';
    const truth = stream(model);
    for (const records of truth.slice(0, labelledFirst)) await predict(records);
    await label(truth.slice(0, labelledFirst).flat());
    await quiet();
    for (const records of truth.slice(labelledFirst)) await predict(records);
    await quiet();

    const before = await rows(model);
    // The last window has not ended. Two windows hold 200 labels, four hold 400, and seven hold
    // 800.
    const steps = [0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3];
    expect(
      before.filter(({ metric }) => metric === 'auc').map(row => row.calibration_step),
    ).toEqual(steps);
    expect(
      new Set(before.filter(row => row.calibration_step === 0).map(row => row.status)),
    ).toEqual(new Set(['insufficient_data']));
    const calibratedBy = [0, 2, 4, 7];
    for (const [window, step] of steps.entries()) {
      if (step === 0) continue;
      expect(before.filter(row => row.window === window)).toEqual(
        expectedRows(truth, window, calibratedBy[step]!, step),
      );
    }

    // The labels from window 7 on do not complete the next size of a calibration, so nothing
    // changes.
    await label(truth.slice(labelledFirst).flat());
    await quiet();
    expect(await rows(model)).toEqual(before);
    const compared = await installation.clickhouse.select<{
      window: number;
      estimate: number;
      realised: number;
    }>(
      `SELECT dateDiff('hour', fromUnixTimestamp64Milli(${startMs}), window_start) AS window, estimate, realised
       FROM quality_estimates WHERE model = {model:String} AND metric = 'accuracy' AND status = 'estimated' ORDER BY window`,
      { model },
    );
    for (const { window, realised } of compared) {
      const right = truth[window]!.filter(
        ({ prediction, label: truth }) => prediction.prediction === truth,
      ).length;
      expect(realised).toBeCloseTo(right / perWindow, 12);
    }
    expect(compared.map(({ window }) => window)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const [record] = await installation.clickhouse.select<Record<string, number>>(
      "SELECT windows, mean_absolute_error, share_in_interval FROM estimate_record WHERE model = {model:String} AND metric = 'accuracy'",
      { model },
    );
    const errors = compared.map(({ estimate, realised }) => Math.abs(estimate - realised));
    expect(record).toMatchObject({
      windows: 9,
      mean_absolute_error: expect.closeTo(
        errors.reduce((sum, error) => sum + error, 0) / errors.length,
        12,
      ),
    });
    expect(record!.share_in_interval).toBeGreaterThan(0.7);
  });

  it('counts records with weights as what they stand for', async () => {
    const model = 'weighted';
    const truth = stream(model);
    // Windows from 9 on have none.
    for (const { prediction } of truth.slice(0, 9).flat())
      if (prediction.score! > 0.5) prediction.weight = 2.5;
    for (const records of truth.slice(0, labelledFirst)) await predict(records);
    await label(truth.slice(0, labelledFirst).flat());
    await quiet();
    for (const records of truth.slice(labelledFirst)) await predict(records);
    await quiet();
    const found = await rows(model);
    for (const window of [8, 9]) {
      const expected = expectedRows(truth, window, labelledFirst, 3);
      expect(found.filter(row => row.window === window)).toEqual(
        expected.map(({ estimate, lower, upper, ...row }) => ({
          ...row,
          estimate: expect.closeTo(estimate, 9),
          lower: expect.closeTo(lower, 9),
          upper: expect.closeTo(upper, 9),
        })),
      );
    }
  });

  it('changes with late predictions and late labels of the calibration, and is the same when computed again', async () => {
    const model = 'anew';
    const truth = stream(model);
    const held = truth.map(records => records.filter((_, index) => index % 3 === 0));
    const rest = truth.map(records => records.filter((_, index) => index % 3 !== 0));
    // Close the windows with a third of their predictions and no labels. Then send the rest, the
    // last windows first.
    for (const records of held) await predict(records);
    await quiet();
    expect(await rows(model)).toEqual([]);
    await label(held.flat());
    await quiet();
    evaluator.kill();
    for (const records of rest.toReversed()) {
      await label(records);
      await predict(records);
    }
    evaluator = await installation.startService('evaluator');
    await quiet();
    const found = await rows(model);
    // Now all windows have labels. These are 1440, which do not complete a fourth calibration.
    for (const [window, calibrated, step] of [
      [2, 2, 1],
      [6, 4, 2],
      [10, 7, 3],
    ] as const)
      expect(found.filter(row => row.window === window)).toEqual(
        expectedRows(truth, window, calibrated, step),
      );

    await installation.clickhouse.command('TRUNCATE TABLE estimated_quality');
    await announceWindows({
      ...installation,
      settings: readSettings(config),
      topic: topic('windows'),
    });
    await quiet();
    expect(await rows(model)).toEqual(found);
  });

  it('estimates more than two classes from the probability of the predicted class', async () => {
    const model = 'classes';
    const random = seededRandom(3);
    const classes = ['a', 'b', 'c'];
    const truth = Array.from({ length: 6 }, (_, window) =>
      Array.from({ length: perWindow }, (_, index): Truth => {
        const sure = 0.4 + 0.6 * random();
        const chosen = Math.floor(random() * 3);
        const predicted = classes[chosen]!;
        const [record] = stream(model)[window]!.slice(index, index + 1);
        const label = random() < sure ** 2 ? predicted : classes[(chosen + 1) % 3]!;
        const probabilities = { [predicted]: sure, [classes[(chosen + 1) % 3]!]: 1 - sure };
        return {
          prediction: {
            ...record!.prediction,
            ...{ prediction: predicted, score: null, probabilities },
            samplingRate: window === 4 && sure > 0.7 ? 0.25 : null,
          },
          label,
        };
      }),
    );
    for (const records of truth) await predict(records);
    await label(truth.slice(0, 2).flat());
    await quiet();

    const calibration = calibrateClasses(
      truth.slice(0, 2).flatMap(records => records.map(classified)),
    );
    const found = await rows(model);
    for (const window of [2, 3, 4]) {
      const records = truth[window]!.map(classified);
      const confidences = new Map(
        classes.map(
          name => [name, coarse(records.filter(({ predicted }) => predicted === name))] as const,
        ),
      );
      const weighted = new Map(
        classes.map(name => {
          const ofClass = records.filter(({ predicted }) => predicted === name);
          const scores = ofClass.map(
            ({ confidence }) => [confidence, confidence > 0.7 ? 4 : 1] as const,
          );
          return [name, weightedScores(scores)] as const;
        }),
      );
      const features = new Map(
        ['x', 'group'].map(name => [
          name,
          profileOf(records.map(record => record.features.get(name))),
        ]),
      );
      const estimates = estimateClassQuality(calibration, {
        records: perWindow,
        confidences,
        weighted: window === 4 ? weighted : undefined,
        features,
      });
      expect(found.filter(row => row.window === window)).toMatchObject(
        (['accuracy', 'f1', 'precision', 'recall'] as const).map(metric => ({
          metric,
          status: 'estimated',
          estimate: expect.closeTo(estimates[metric]!.value, 12),
          lower: expect.closeTo(estimates[metric]!.lower, 12),
          upper: expect.closeTo(estimates[metric]!.upper, 12),
          records: perWindow,
          calibration_records: 2 * perWindow,
          calibrated: 2,
        })),
      );
    }
  });

  it('estimates a regression from whole records, with the same result when they come late', async () => {
    const model = 'prices';
    const random = seededRandom(5);
    const large = 8;
    const truth = Array.from({ length: 10 }, (_, window) =>
      Array.from(
        { length: window === large ? maxSampledRecords + 100 : perWindow },
        (_, index): Truth => {
          const x = random();
          const group = random() < (window < 6 ? 0.2 : 0.7) ? 'b' : 'a';
          const [record] = stream(model)[0]!;
          const time = startMs + window * hourMs + index * 800;
          const features = index % 10 === 0 ? { x, group: null } : { x, group };
          const prediction = {
            ...record!.prediction,
            id: `${model}-${window}-${index}`,
            time,
            features,
            prediction: 10 * x,
            weight: window === 5 ? 1 + (index % 3) : null,
          };
          return {
            prediction: { ...prediction, score: null },
            label: 10 * x + (group === 'b' ? 3 : 1) * (random() - 0.5),
          };
        },
      ),
    );
    const held = truth.map(records => records.filter((_, index) => index % 3 !== 1));
    const rest = truth.map(records => records.filter((_, index) => index % 3 === 1));
    for (const records of held) await predict(records);
    await label(held.slice(0, labelledFirst).flat());
    await quiet();
    for (const records of rest.toReversed()) await predict(records);
    await label(rest.slice(0, labelledFirst).flat().toReversed());
    await quiet();

    const found = await rows(model);
    const lowest = await installation.clickhouse.select<{ id: string }>(
      `SELECT id FROM predictions FINAL WHERE model = {model:String} AND event_time >= fromUnixTimestamp64Milli(${startMs + large * hourMs})
         AND event_time < fromUnixTimestamp64Milli(${startMs + (large + 1) * hourMs}) ORDER BY sipHash64(id) LIMIT ${maxSampledRecords}`,
      { model },
    );
    const drawn = new Set(lowest.map(({ id }) => id));
    for (const [window, calibrated, step] of [
      [2, 2, 1],
      [5, 4, 2],
      [7, 7, 3],
      [large, 7, 3],
    ] as const) {
      const sample = truth[window]!.filter(
        ({ prediction: { id } }) => window !== large || drawn.has(id),
      ).map(numbered);
      const calibration = await runInTurns(
        calibrateLoss(truth.slice(0, calibrated).flat().map(numbered)),
      );
      const estimates = estimateLoss(calibration, {
        records: truth[window]!.length,
        sample,
        weights: window === 5 ? sample.map((_, index) => 1 + (index % 3)) : undefined,
      });
      expect(found.filter(row => row.window === window)).toEqual(
        (['mae', 'rmse'] as const).map(metric => ({
          window,
          metric,
          status: 'estimated',
          estimate: estimates[metric]!.value,
          lower: estimates[metric]!.lower,
          upper: estimates[metric]!.upper,
          records: truth[window]!.length,
          calibration_step: step,
          calibration_records: calibrated * perWindow,
          calibrated,
        })),
      );
    }
    expect(
      found.filter(row => row.status === 'insufficient_data').map(({ window }) => window),
    ).toEqual([0, 0, 1, 1]);

    await installation.clickhouse.command('TRUNCATE TABLE estimated_quality');
    await announceWindows({
      ...installation,
      settings: readSettings(config),
      topic: topic('windows'),
    });
    await label(truth.slice(labelledFirst).flat());
    await quiet();
    expect(await rows(model)).toEqual(found);
    const record = await installation.clickhouse.select<Record<string, number | string>>(
      'SELECT metric, windows, share_in_interval, mean_realised FROM estimate_record WHERE model = {model:String}',
      { model },
    );
    const errors = truth.slice(2, 9).map(records => {
      const weights = records.map(({ prediction }) => prediction.weight ?? 1);
      const sum = records
        .map(numbered)
        .reduce(
          (total, { predicted, label }, index) =>
            total + weights[index]! * Math.abs(predicted - label),
          0,
        );
      return sum / weights.reduce((total, weight) => total + weight, 0);
    });
    expect(record).toMatchObject([
      {
        metric: 'mae',
        windows: 7,
        mean_realised: expect.closeTo(errors.reduce((sum, error) => sum + error, 0) / 7, 9),
      },
      { metric: 'rmse', windows: 7 },
    ]);
    for (const { share_in_interval } of record) expect(share_in_interval).toBeGreaterThan(0.7);
  });

  it('is the same however scores, predictions and labels are logged', async () => {
    const log = async (model: string, logged: (truth: Truth) => Truth) => {
      const truth = stream(model).map(records => records.map(logged));
      for (const records of truth) await predict(records);
      await label(truth.slice(0, labelledFirst).flat());
    };
    const withPrediction = ({ prediction, label }: Truth, fields: Partial<Prediction>) => ({
      prediction: { ...prediction, ...fields },
      label,
    });
    await log('plain', truth => truth);
    await log('spelled', truth => ({
      ...withPrediction(truth, { prediction: truth.prediction.prediction === 'yes' }),
      label: truth.label === 'yes' ? 1 : 0,
    }));
    await log('probability', truth =>
      withPrediction(truth, { prediction: truth.prediction.score!, score: null }),
    );
    await log('otherScore', truth => withPrediction(truth, { score: 1 - truth.prediction.score! }));
    await quiet();
    const plain = await rows('plain');
    expect(plain.filter(({ status }) => status === 'estimated')).toHaveLength(9 * 5);
    const within = (digits: number) =>
      plain.map(row => ({
        ...row,
        estimate: row.estimate === null ? null : expect.closeTo(row.estimate as number, digits),
        lower: row.lower === null ? null : expect.closeTo(row.lower as number, digits),
        upper: row.upper === null ? null : expect.closeTo(row.upper as number, digits),
      }));
    expect(await rows('spelled')).toEqual(within(9));
    expect(await rows('probability')).toEqual(within(9));
    // Bins of scores are finer near zero.
    expect(await rows('otherScore')).toEqual(within(1));
  });

  it('is dropped when the labels have more classes than the scores describe', async () => {
    const model = 'turning';
    const truth = stream(model);
    for (const records of truth.slice(0, 5)) await predict(records);
    await label(truth.slice(0, 3).flat());
    await quiet();
    const estimated = () =>
      installation.clickhouse.select(
        "SELECT window_start FROM quality_estimates WHERE model = {model:String} AND status = 'estimated'",
        { model },
      );
    expect(await estimated()).not.toEqual([]);
    await label([{ ...truth[3]![0]!, label: 'maybe' }]);
    await quiet();
    // One label is set apart, many are a class.
    expect(await estimated()).not.toEqual([]);
    await label(truth[3]!.slice(0, 40).map(record => ({ ...record, label: 'maybe' })));
    await quiet();
    expect(await estimated()).toEqual([]);
  });
});

const classified = ({
  prediction: { prediction, probabilities, features },
  label,
}: Truth): ClassifiedRecord => ({
  predicted: String(prediction),
  confidence: probabilities![String(prediction)]!,
  label: String(label),
  features: new Map(Object.entries(features as Record<string, FeatureValue>)),
});

const numbered = ({ prediction: { prediction, features }, label }: Truth): LabelledNumber => ({
  predicted: Number(prediction),
  label: Number(label),
  features: new Map(Object.entries(features as Record<string, FeatureValue>)),
});

/** Returns scores in the buckets of 10 mantissa bits in which ClickHouse sums their weights. */
function weightedScores(scores: readonly (readonly [score: number, weight: number])[]) {
  return {
    keys: scores.map(([score]) => (bucketKey(score) >> 10) << 10),
    weights: scores.map(([, weight]) => weight),
    squares: scores.map(([, weight]) => weight ** 2),
  };
}

/** Counts confidences in the buckets in which ClickHouse counts them. */
function coarse(records: readonly ClassifiedRecord[]): NumericHistogram {
  const histogram = emptyNumericHistogram();
  histogram.mantissaBits = 10;
  for (const { confidence } of records) {
    addToBucket(histogram, bucketKey(confidence) >> 10, 1);
    histogram.count += 1;
  }
  return histogram;
}

import { describe, expect, it } from 'vitest';
import { type ComparedDataSet, compareEstimates } from '../../../quality/estimates/compare.ts';

const repeat = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value);

describe('compareEstimates', () => {
  it('estimates each chunk from the reference, and compares the chunks for which all have a value', async () => {
    // 90 of 100 records with a score of 0.75 are right, and 80 of 100 with a score of 0.25.
    const reference = {
      score: [...repeat(100, 0.75), ...repeat(100, 0.25)],
      predicted: [...repeat(100, '1'), ...repeat(100, '0')],
      label: [...repeat(90, '1'), ...repeat(10, '0'), ...repeat(80, '0'), ...repeat(20, '1')],
      features: {},
    };
    const chunk = (high: number) => [...repeat(high, 0.75), ...repeat(40 - high, 0.25)];
    const score = [...chunk(10), ...chunk(20), ...chunk(0)];
    const analysis = {
      score,
      predicted: score.map(value => (value > 0.5 ? '1' : '0')),
      label: repeat(120, '1'),
      features: {},
    };
    const series = {
      estimated: [0.8, 0.9, 0.8],
      lower: [0.7, 0.7, 0.7],
      upper: [0.85, 0.85, 0.85],
    };
    const compared = await compareEstimates({
      task: 'binary',
      chunkSize: 40,
      reference,
      analysis,
      metrics: {
        accuracy: { ...series, realised: [0.825, 0.86, 0.1] },
        precision: { ...series, realised: [0.9, 0.9, 0.9] },
      },
    });
    expect(compared).toEqual([
      {
        metric: 'accuracy',
        chunks: 3,
        // The estimates are 0.825, 0.85 and 0.8.
        error: expect.closeTo((0 + 0.01 + 0.7) / 3, 12),
        errorOfPeer: expect.closeTo((0.025 + 0.04 + 0.7) / 3, 12),
        coverage: expect.closeTo(2 / 3, 12),
        coverageOfPeer: expect.closeTo(1 / 3, 12),
      },
      // Nothing is predicted positive in the third chunk.
      expect.objectContaining({ metric: 'precision', chunks: 2, error: expect.closeTo(0, 12) }),
    ]);
  });

  it('estimates more than two classes from the probability of the predicted class', async () => {
    const reference = {
      score: repeat(200, 0.75),
      predicted: [...repeat(100, 'a'), ...repeat(100, 'b')],
      label: [...repeat(60, 'a'), ...repeat(40, 'c'), ...repeat(90, 'b'), ...repeat(10, 'a')],
      features: {},
    };
    const analysis = {
      score: repeat(40, 0.75),
      predicted: [...repeat(30, 'a'), ...repeat(10, 'b')],
      label: repeat(40, 'a'),
      features: {},
    };
    const one = (value: number) => ({
      estimated: [value],
      lower: [value],
      upper: [value],
      realised: [value],
    });
    const dataSet: ComparedDataSet = {
      task: 'multiclass',
      chunkSize: 40,
      reference,
      analysis,
      metrics: { accuracy: one(27 / 40) },
    };
    expect(await compareEstimates(dataSet)).toMatchObject([
      { metric: 'accuracy', chunks: 1, error: expect.closeTo(0, 12) },
    ]);
  });

  it('estimates the errors of a regression from its rows', async () => {
    const rows = (label: number) => ({
      predicted: repeat(100, 1),
      label: repeat(100, label),
      features: { group: repeat(100, 'a') },
    });
    const one = (value: number) => ({
      estimated: [value],
      lower: [value],
      upper: [value],
      realised: [value],
    });
    const dataSet: ComparedDataSet = {
      task: 'regression',
      chunkSize: 100,
      reference: rows(4),
      analysis: rows(0),
      metrics: { mae: one(3), rmse: one(2) },
    };
    expect(await compareEstimates(dataSet)).toMatchObject([
      { metric: 'mae', chunks: 1, error: expect.closeTo(0, 12), coverage: 1 },
      { metric: 'rmse', chunks: 1, error: expect.closeTo(1, 12), coverage: 0 },
    ]);
  });
});

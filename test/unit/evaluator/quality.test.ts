import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type ClassStatistics,
  classQuality,
  type NumberStatistics,
  numberQuality,
} from '../../../services/evaluator/performance/quality/quality.ts';
import { qualityColumns } from '../../../services/evaluator/performance/store/insertPerformance.ts';
import type { TaskDecision } from '../../../services/shared/task.ts';

type ScikitCase = TaskDecision & {
  statistics: ClassStatistics & NumberStatistics;
  quality: Record<string, number | null>;
};
const cases: Record<string, ScikitCase> = JSON.parse(
  readFileSync(new URL('scikit.json', import.meta.url), 'utf8'),
);

describe('quality agrees with scikit-learn', () => {
  it.each(Object.entries(cases))('%s', (_, { statistics, quality, ...decision }) => {
    const computed: Record<string, number | null> = qualityColumns(
      decision.task === 'regression'
        ? numberQuality(statistics)
        : classQuality(statistics, decision),
    );
    for (const [name, expected] of Object.entries(quality)) {
      if (expected === null) expect(computed[name], name).toBeNull();
      else expect(computed[name], name).toBeCloseTo(expected, 12);
    }
  });

  it('has cases of every kind', () => {
    expect(new Set(Object.values(cases).map(({ task }) => task))).toEqual(
      new Set(['binary', 'multiclass', 'regression']),
    );
  });
});

describe('an undefined metric is null', () => {
  const oneClass: ClassStatistics = {
    compared: 3,
    errors: 0,
    labels: [['no', 3]],
    predictions: [['no', 3]],
    hits: [['no', 3]],
    scored: 0,
    logLossSum: 0,
    brierSum: 0,
    auc: null,
  };

  it('if the positive class neither occurs nor is predicted, and if there are no probabilities', () => {
    expect(classQuality(oneClass, { task: 'binary', positiveLabel: 'yes' })).toMatchObject({
      errors: 0,
      accuracy: 1,
      precision: null,
      recall: null,
      f1: null,
      logLoss: null,
      brier: null,
      auc: null,
      mae: null,
      lossSum: 0,
    });
  });

  it('if all labels are equal, and if there are no numbers', () => {
    const equal = {
      numbers: 2,
      errorSum: 3,
      absoluteErrorSum: 3,
      squaredErrorSum: 5,
      labelSquareSum: 0,
    };
    expect(numberQuality(equal)).toMatchObject({
      mae: 1.5,
      bias: 1.5,
      rmse: Math.sqrt(2.5),
      r2: null,
      accuracy: null,
    });
    const nothing = {
      numbers: 0,
      errorSum: 0,
      absoluteErrorSum: 0,
      squaredErrorSum: 0,
      labelSquareSum: 0,
    };
    expect(numberQuality(nothing)).toMatchObject({
      mae: null,
      bias: null,
      rmse: null,
      r2: null,
      lossSum: 0,
    });
  });
});

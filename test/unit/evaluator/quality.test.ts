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
import { fencedBlocks } from '../../fencedBlocks.ts';

type ScikitCase = TaskDecision & {
  /** Null for records that another case has in another form. */
  statistics: (ClassStatistics & NumberStatistics) | null;
  rows: { prediction: string; probabilities?: Record<string, number> | null }[];
  quality: Record<string, number | null> & { classes?: Record<string, unknown>[] };
};
const cases: Record<string, ScikitCase> = JSON.parse(
  readFileSync(new URL('scikit.json', import.meta.url), 'utf8'),
);

const closeTo = (value: unknown) => (value === null ? null : expect.closeTo(value as number, 12));

describe('quality agrees with scikit-learn', () => {
  const withStatistics = Object.entries(cases).flatMap(([name, { statistics, ...others }]) =>
    statistics === null ? [] : [{ name, statistics, ...others }],
  );
  it.each(withStatistics)('$name', ({ statistics, quality: expectedQuality, ...decision }) => {
    const { classes, ...computed }: Record<string, unknown> = qualityColumns(
      decision.task === 'regression'
        ? numberQuality(statistics)
        : classQuality(statistics, decision),
    );
    const { classes: expectedClasses = [], ...quality } = expectedQuality;
    expect(classes).toEqual(
      expectedClasses.map(figures => ({
        ...figures,
        precision: closeTo(figures.precision),
        recall: closeTo(figures.recall),
        f1: closeTo(figures.f1),
      })),
    );
    for (const [name, expected] of Object.entries(quality)) {
      if (expected === null) expect(computed[name], name).toBeNull();
      else expect(computed[name], name).toBeCloseTo(expected, 12);
    }
  });

  it('has the first example of docs/producers.md among its cases', () => {
    const page = readFileSync(new URL('../../../docs/producers.md', import.meta.url), 'utf8');
    const [block] = fencedBlocks(page).filter(({ kind }) => kind === 'json prediction');
    const shown = JSON.parse(block!.text);
    for (const row of cases['the example of the documentation']!.rows) {
      expect(Object.keys(row.probabilities!)).toEqual(Object.keys(shown.probabilities));
      expect(shown.probabilities).toHaveProperty(row.prediction);
    }
    expect(shown.score).toBe(shown.probabilities.leaves);
    expect(cases['the example of the documentation']!.positiveLabel).toBe('leaves');
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
    comparedWeight: 3,
    errors: 0,
    errorWeight: 0,
    labels: [['no', 3, 3]],
    predictions: [['no', 3, 3]],
    hits: [['no', 3, 3]],
    scoredWeight: 0,
    logLossSum: 0,
    brierSum: 0,
    auc: null,
    averagePrecision: null,
    calibratedWeight: 0,
    calibrationErrorSum: 0,
    ranks: { weight: 0, length: 0, hits: [], reciprocalSum: 0 },
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

  it('if all rows are of one class, however the sums of their weights are rounded', () => {
    const rounded: ClassStatistics = {
      ...oneClass,
      comparedWeight: 0.1 + 0.2,
      labels: [['no', 3, 0.3]],
      predictions: [
        ['no', 2, 0.2],
        ['yes', 1, 0.1],
      ],
      hits: [['no', 2, 0.2]],
    };
    expect(classQuality(rounded, { task: 'binary', positiveLabel: 'yes' }).mcc).toBeNull();
  });

  it('if all labels are equal, and if there are no numbers', () => {
    const equal = {
      numberWeight: 2,
      errorSum: 3,
      absoluteErrorSum: 3,
      squaredErrorSum: 5,
      labelSquareSum: 0,
      lossSum: 3,
      lossSquareSum: 5,
      quantiles: { losses: [], intervals: [] },
    };
    expect(numberQuality(equal)).toMatchObject({
      mae: 1.5,
      bias: 1.5,
      rmse: Math.sqrt(2.5),
      r2: null,
      accuracy: null,
    });
    const nothing = {
      numberWeight: 0,
      errorSum: 0,
      absoluteErrorSum: 0,
      squaredErrorSum: 0,
      labelSquareSum: 0,
      lossSum: 0,
      lossSquareSum: 0,
      quantiles: { losses: [], intervals: [] },
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

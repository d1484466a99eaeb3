import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type ClassStatistics,
  classQuality,
  decideTask,
  type LabelSummary,
  type NumberStatistics,
  numberQuality,
  type TaskDecision,
} from '../../../services/evaluator/performance/evaluator.ts';

type ScikitCase = TaskDecision & {
  statistics: ClassStatistics & NumberStatistics;
  quality: Record<string, number | null>;
};
const cases: Record<string, ScikitCase> = JSON.parse(
  readFileSync(new URL('scikit.json', import.meta.url), 'utf8'),
);

const summary = (given: Partial<LabelSummary>): LabelSummary => ({
  labels: [],
  predictions: [],
  textLabels: false,
  fractionalLabels: false,
  fractionalPredictions: false,
  ...given,
});
const wholeNumbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

describe('quality agrees with scikit-learn', () => {
  it.each(Object.entries(cases))('%s', (_, { statistics, quality, ...decision }) => {
    const computed: Record<string, number | null> = {
      ...(decision.task === 'regression'
        ? numberQuality(statistics)
        : classQuality(statistics, decision)),
    };
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

describe('figures without a meaning are null', () => {
  const oneClass: ClassStatistics = {
    labelled: 3,
    errors: 0,
    labels: [['no', 3]],
    predictions: [['no', 3]],
    hits: [['no', 3]],
    scored: 0,
    logLossSum: 0,
    brierSum: 0,
    auc: null,
  };

  it('of a positive class that neither occurs nor is predicted, and without probabilities', () => {
    expect(classQuality(oneClass, { task: 'binary', positiveLabel: 'yes' })).toMatchObject({
      errors: 0,
      accuracy: 1,
      precision: null,
      recall: null,
      f1: null,
      log_loss: null,
      brier: null,
      auc: null,
      mae: null,
      loss_sum: 0,
    });
  });

  it('of labels that are all equal, and of no numbers at all', () => {
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
      loss_sum: 0,
    });
  });
});

describe('decideTask', () => {
  const decide = (given: Partial<LabelSummary>, positiveLabel?: string) =>
    decideTask(summary(given), positiveLabel);

  it('fractional numbers, or more than 20 distinct ones, are a regression', () => {
    expect(decide({ labels: ['0.5'], fractionalLabels: true }).task).toBe('regression');
    expect(decide({ labels: wholeNumbers(21) }).task).toBe('regression');
    expect(decide({ labels: wholeNumbers(20) }).task).toBe('multiclass');
  });

  it('text is never a regression, however many classes it has', () => {
    expect(decide({ labels: wholeNumbers(101), textLabels: true }).task).toBe('multiclass');
    expect(
      decide({ labels: ['0.5', 'unknown'], textLabels: true, fractionalLabels: true }).task,
    ).toBe('binary');
  });

  it('counts predicted classes too, but not predicted probabilities', () => {
    expect(decide({ labels: ['a', 'b'], predictions: ['c'], textLabels: true }).task).toBe(
      'multiclass',
    );
    const probabilities = {
      labels: ['0', '1'],
      predictions: ['0.25', '0.75', '0.5'],
      fractionalPredictions: true,
    };
    expect(decide(probabilities)).toEqual({ task: 'binary', positiveLabel: '1' });
  });

  it('takes the configured class as positive, else 1, true or yes, else the last in order', () => {
    const texts = (labels: string[], predictions: string[] = []) => ({
      labels,
      predictions,
      textLabels: true,
    });
    expect(decide(texts(['good', 'bad']), 'bad').positiveLabel).toBe('bad');
    expect(decide({ labels: ['1', '2'] }).positiveLabel).toBe('1');
    expect(decide(texts(['false', 'true'])).positiveLabel).toBe('true');
    expect(decide(texts(['zero', 'Yes'])).positiveLabel).toBe('Yes');
    expect(decide(texts(['up', 'down'])).positiveLabel).toBe('up');
    expect(decide(texts(['down'], ['down', 'up'])).positiveLabel).toBe('up');
    expect(decide(texts(['a', 'b', 'c']), 'a')).toEqual({
      task: 'multiclass',
      positiveLabel: null,
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowCounter } from '../../../quality/counting/windowCounter.ts';
import { labelTask } from '../../../services/retrainer/dataset/labelTask.ts';
import { loggedPrediction } from '../../../services/shared/profile/features.ts';
import {
  decideTask,
  type LabelledOutput,
  type LabelSummary,
  summariseLabels,
  type TaskDecision,
} from '../../../services/shared/task.ts';

type Value = string | number | boolean;

interface Outcome {
  label: Value;
  prediction: Value;
}

const numberOrNull = (value: Value) => (typeof value === 'number' ? value : null);

const logged = ({ label, prediction }: Outcome): LabelledOutput => ({
  label: String(label),
  labelValue: numberOrNull(label),
  prediction: String(prediction),
  predictionValue: numberOrNull(prediction),
});

/** Pairs all labels with all predictions. */
function outcomesOf(labels: readonly Value[], predictions: readonly Value[]): Outcome[] {
  return Array.from({ length: Math.max(labels.length, predictions.length) }, (_, index) => ({
    label: labels[index % labels.length]!,
    prediction: predictions[index % predictions.length]!,
  }));
}

const wholeNumbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('decideTask', () => {
  const decide = (
    labels: readonly Value[],
    predictions: readonly Value[],
    positiveLabel?: string,
  ): TaskDecision =>
    decideTask(summariseLabels(outcomesOf(labels, predictions).map(logged)), positiveLabel);

  it('treats numbers with fractions, or with more than 20 distinct values, as a regression', () => {
    expect(decide([0.5], [1]).task).toBe('regression');
    expect(decide(wholeNumbers(21), [1]).task).toBe('regression');
    expect(decide(wholeNumbers(20), [1]).task).toBe('multiclass');
  });

  it('never treats text as a regression, for any number of classes', () => {
    expect(decide([...wholeNumbers(101), 'unknown'], ['1']).task).toBe('multiclass');
    expect(decide([0.5, 'unknown'], ['unknown']).task).toBe('binary');
  });

  it('counts predicted classes as well, but not predicted probabilities', () => {
    expect(decide(['a', 'b'], ['c']).task).toBe('multiclass');
    expect(decide([0, 1], [0.25, 0.75, 0.5])).toEqual({ task: 'binary', positiveLabel: '1' });
  });

  it('uses the configured class as positive, else 1, true or yes, else the last by name', () => {
    expect(decide(['good', 'bad'], ['bad'], 'bad').positiveLabel).toBe('bad');
    expect(decide([1, 2], [1]).positiveLabel).toBe('1');
    expect(decide([false, true], [true]).positiveLabel).toBe('true');
    expect(decide(['zero', 'Yes'], ['Yes']).positiveLabel).toBe('Yes');
    expect(decide(['up', 'down'], ['up']).positiveLabel).toBe('up');
    expect(decide(['down'], ['down', 'up']).positiveLabel).toBe('up');
    expect(decide(['a', 'b', 'c'], ['a'], 'a')).toEqual({
      task: 'multiclass',
      positiveLabel: null,
    });
  });

  it('returns no positive class when nothing has been labelled', () => {
    expect(decideTask(summariseLabels([]), undefined)).toEqual({
      task: 'binary',
      positiveLabel: null,
    });
  });
});

/**
 * Returns the row of version_labels that ClickHouse computes
 * (infra/clickhouse/0006_evaluator_lookups.sql).
 */
function versionLabels(outcomes: readonly Outcome[]): LabelSummary {
  const fractional = (value: Value) => typeof value === 'number' && value !== Math.trunc(value);
  const distinct = (values: readonly Value[]) => [...new Set(values.map(String))].slice(0, 101);
  return {
    labels: distinct(outcomes.map(({ label }) => label)),
    predictions: distinct(outcomes.map(({ prediction }) => prediction)),
    textLabels: outcomes.some(({ label }) => typeof label !== 'number'),
    fractionalLabels: outcomes.some(({ label }) => fractional(label)),
    fractionalPredictions: outcomes.some(({ prediction }) => fractional(prediction)),
  };
}

/**
 * Returns the task of a stream as the quality harness decides it, which configures no positive
 * class.
 */
function countedTask(outcomes: readonly Outcome[]) {
  const counter = windowCounter(60_000);
  const time = Date.UTC(2026, 0, 1);
  for (const [index, { label, prediction }] of outcomes.entries()) {
    const id = String(index);
    counter.addPrediction(
      loggedPrediction({
        id,
        model: 'm',
        version: '1',
        time,
        features: {},
        prediction,
        score: null,
        probabilities: null,
        segment: null,
        codeVersion: null,
        latencyMs: null,
      }),
    );
    counter.addFeedback({ id, label, time, model: null, value: null });
  }
  return counter.streams()[0]!.labelRevisions.at(-1)!.performance.task;
}

describe('evaluator, retrainer and quality harness', () => {
  const decisions = (outcomes: readonly Outcome[], positiveLabel: string | undefined) => {
    const evaluator = decideTask(versionLabels(outcomes), positiveLabel);
    const { classes, numeric, ...retrainer } = labelTask(outcomes.map(logged), positiveLabel);
    return { evaluator, retrainer, classes, numeric, counted: countedTask(outcomes) };
  };

  it.each<[string, Value[], Value[], string | undefined, TaskDecision]>([
    [
      'a class that is predicted and never a label',
      ['a', 'b'],
      ['a', 'b', 'c'],
      undefined,
      { task: 'multiclass', positiveLabel: null },
    ],
    [
      'a configured class that has not occurred',
      [0, 1],
      [0, 1],
      'fraud',
      { task: 'binary', positiveLabel: 'fraud' },
    ],
    [
      'one label so far',
      ['down'],
      ['down', 'up'],
      undefined,
      { task: 'binary', positiveLabel: 'up' },
    ],
    [
      'predicted probabilities',
      [0, 1],
      [0.2, 0.9],
      undefined,
      { task: 'binary', positiveLabel: '1' },
    ],
    ['quantities', [0.5, 1], [1, 2], undefined, { task: 'regression', positiveLabel: null }],
  ])('agree about %s', (_, labels, predictions, positiveLabel, expected) => {
    const found = decisions(outcomesOf(labels, predictions), positiveLabel);
    expect(found.evaluator).toEqual(expected);
    expect(found.retrainer).toEqual(expected);
    expect(found.counted).toBe(expected.task);
  });

  it('agree about any labels, predictions and configuration', () => {
    const value: fc.Arbitrary<Value> = fc.oneof(
      fc.constantFrom('a', 'b', 'c', 'Yes', 'no', '1', '0', '0.5', ''),
      fc.integer({ min: -2, max: 30 }),
      fc.constantFrom(0, 1, -0, 0.5, 1e300, 1e-300),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
    );
    const few = fc.array(value, { minLength: 1, maxLength: 4 });
    const many = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), value), {
      minLength: 15,
      maxLength: 150,
    });
    const values = fc.oneof({ weight: 4, arbitrary: few }, many);
    const configured = fc.option(fc.constantFrom('a', 'b', '1', 'true', 'fraud'), {
      nil: undefined,
    });
    fc.assert(
      fc.property(values, values, configured, (labels, predictions, positiveLabel) => {
        const outcomes = outcomesOf(labels, predictions);
        const { evaluator, retrainer, classes, numeric, counted } = decisions(
          outcomes,
          positiveLabel,
        );
        expect(retrainer).toEqual(evaluator);
        expect(counted).toBe(evaluator.task);
        if (evaluator.task === 'regression') {
          expect(classes).toEqual([]);
          return;
        }
        const names = new Set(labels.map(String));
        expect(new Set(classes.map(String))).toEqual(names);
        expect(classes.every(name => (typeof name === 'number') === numeric)).toBe(true);
        const { positiveLabel: positive } = evaluator;
        if (positive !== null && names.has(positive)) expect(String(classes.at(-1))).toBe(positive);
      }),
      { numRuns: 300 },
    );
  });
});

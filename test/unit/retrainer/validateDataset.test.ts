import { describe, expect, it } from 'vitest';
import { dataSplit } from '../../../services/retrainer/dataset/dataSplit.ts';
import type { DatasetRow } from '../../../services/retrainer/dataset/dataset.ts';
import { labelTask } from '../../../services/retrainer/dataset/labelTask.ts';
import { validateDataset } from '../../../services/retrainer/dataset/validateDataset.ts';
import { datasetRows } from './dataset.ts';

function validate(rows: DatasetRow[]) {
  return validateDataset(rows, dataSplit(rows.length), labelTask(rows), 500);
}

describe('validateDataset', () => {
  it('accepts sound rows, leaves constant columns out and says so', () => {
    expect(validate(datasetRows(1000))).toEqual({
      refusals: [],
      notes: ['feature currency: is constant in the training rows and was left out'],
      features: [
        { name: 'city', type: 'text' },
        { name: 'price', type: 'number' },
      ],
    });
  });

  it('accepts drift: other values, and missing ones that were always there', () => {
    const rows = datasetRows(1000, (row, index) => ({
      features: {
        ...row.features,
        price: index > 700 ? 1e6 + index : index,
        ...(index % 2 === 0 && { city: 'Rome' }),
        ...(index % 5 < 2 && { age: 1 }),
      },
    }));
    expect(validate(rows).refusals).toEqual([]);
  });

  it.each([
    ['missing', undefined],
    ['wrong type', 'n/a'],
    ['not finite', Number.NaN],
  ])('refuses a feature that breaks off at the end: %s', (fault, price) => {
    const rows = datasetRows(1000, ({ features: { price: sound, ...others } }, index) => {
      const value = index < 970 ? sound : price;
      return { features: value === undefined ? others : { ...others, price: value } };
    });
    expect(validate(rows).refusals).toEqual([
      `feature price: 60 % ${fault} in the 50 rows from 2026-01-01T15:50:00.000Z on, 0 % in the older ones`,
    ]);
  });

  it('refuses too few rows, one class, constant numbers, too many classes, and nothing to learn from', () => {
    expect(validate(datasetRows(499)).refusals).toEqual([
      '499 labelled rows, at least 500 are needed',
    ]);
    expect(validate(datasetRows(1000, () => ({ label: 'yes' }))).refusals).toEqual([
      'labels: only "yes" in the 700 training rows, at least two classes are needed',
    ]);
    expect(validate(datasetRows(1000, () => ({ label: '0.5', labelValue: 0.5 }))).refusals).toEqual(
      ['labels: only "0.5" in the 700 training rows, at least two values are needed'],
    );
    expect(
      validate(datasetRows(1000, (_, index) => ({ label: `class ${index % 300}` }))).refusals,
    ).toEqual(['labels: 300 distinct classes, at most 100 are trained']);
    expect(validate(datasetRows(1000, () => ({ features: { a: 1 } }))).refusals).toEqual([
      'no feature that varies in the training rows',
    ]);
    expect(validate([]).refusals[0]).toBe('0 labelled rows, at least 500 are needed');
  });
});

describe('labelTask', () => {
  const task = (labels: (string | number)[], positiveLabel?: string) =>
    labelTask(
      labels.map(label => ({
        label: String(label),
        labelValue: typeof label === 'number' ? label : null,
        prediction: String(label),
        predictionValue: typeof label === 'number' ? label : null,
      })),
      positiveLabel,
    );
  it.each([
    [['up', 'down'], 'binary', ['down', 'up']],
    [['yes', 'zero'], 'binary', ['zero', 'yes']],
    [[0, 1], 'binary', [0, 1]],
    [[1, 2], 'binary', [2, 1]],
    [['True', 'unknown'], 'binary', ['unknown', 'True']],
    [['a', 'b', 'c'], 'multiclass', ['a', 'b', 'c']],
    [[10, 9, 1], 'multiclass', [1, 10, 9]],
    [[10, 'n/a', 1], 'multiclass', ['1', '10', 'n/a']],
    [[0.5, 1], 'regression', []],
    [Array.from({ length: 21 }, (_, index) => index), 'regression', []],
  ] as const)('of %j is %s', (labels, expectedTask, classes) => {
    expect(task([...labels])).toMatchObject({ task: expectedTask, classes });
  });

  it('puts the declared positive label last', () => {
    expect(task(['churn', 'stay'], 'churn').classes).toEqual(['stay', 'churn']);
  });
});

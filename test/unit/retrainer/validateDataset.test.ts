import { describe, expect, it } from 'vitest';
import { dataSplit } from '../../../services/retrainer/dataset/dataSplit.ts';
import type { DatasetRow } from '../../../services/retrainer/dataset/dataset.ts';
import { labelTask } from '../../../services/retrainer/dataset/labelTask.ts';
import { validateDataset } from '../../../services/retrainer/dataset/validateDataset.ts';
import { decideOutput } from '../../../services/shared/output/decideOutput.ts';
import { datasetRows } from './dataset.ts';

/** Returns the task of rows under the meaning that their outputs have. */
function taskOf(
  rows: readonly Pick<DatasetRow, 'label' | 'labelValue' | 'prediction' | 'predictionValue'>[],
  positiveLabel?: string,
) {
  const outputs = rows.map(row => ({
    ...row,
    score: null,
    classesOfScore: null,
    hasRanking: false,
  }));
  return labelTask(rows, decideOutput(outputs, { positiveLabel }));
}

function validate(rows: DatasetRow[]) {
  return validateDataset(rows, dataSplit(rows.length), taskOf(rows), 500);
}

describe('validateDataset', () => {
  it('accepts sound rows, and leaves constant columns out with a note', () => {
    expect(validate(datasetRows(1000))).toEqual({
      refusals: [],
      notes: ['Feature currency was left out, because it is constant in the training rows.'],
      features: [
        { name: 'city', type: 'text' },
        { name: 'price', type: 'number' },
      ],
    });
  });

  it('leaves texts out of which nothing can be learned, but not numbers written as text', () => {
    const rows = datasetRows(1000, (row, index) => ({
      features: {
        ...row.features,
        order: `ORD-${index * 7919}`,
        comment: `the parcel ${index} came late again`,
        amount: ((index * 7919) % 1000).toFixed(2),
      },
    }));
    const { refusals, notes, features } = validate(rows);
    expect(refusals).toEqual([]);
    expect(features.map(({ name }) => name)).toEqual(['amount', 'city', 'price']);
    expect(notes).toEqual([
      'Feature comment was left out, because nothing can be learned from a text of the kind free-text.',
      'Feature currency was left out, because it is constant in the training rows.',
      'Feature order was left out, because nothing can be learned from a text of the kind identifier.',
    ]);
  });

  it('accepts drifted values, and a share of missing values that does not rise', () => {
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
    ['are missing', undefined],
    ['have the wrong type', 'n/a'],
    ['are not finite', Number.NaN],
  ])('refuses a feature whose last values %s', (fault, price) => {
    const rows = datasetRows(1000, ({ features: { price: sound, ...others } }, index) => {
      const value = index < 970 ? sound : price;
      return { features: value === undefined ? others : { ...others, price: value } };
    });
    expect(validate(rows).refusals).toEqual([
      `Feature price looks broken: 60 % of its values ${fault} in the 50 rows from 2026-01-01T15:50:00.000Z on, and 0 % in the older rows.`,
    ]);
  });

  it('refuses too few rows, a single class, constant numbers, too many classes, and constant features', () => {
    expect(validate(datasetRows(499)).refusals).toEqual([
      'The number of labelled rows is 499, but at least 500 are needed (retraining.minimumLabelledRows).',
    ]);
    expect(validate(datasetRows(1000, () => ({ label: 'yes' }))).refusals).toEqual([
      'All of the 700 training rows have the label "yes", but at least two classes are needed.',
    ]);
    expect(validate(datasetRows(1000, () => ({ label: '0.5', labelValue: 0.5 }))).refusals).toEqual(
      ['All of the 700 training rows have the label "0.5", but at least two values are needed.'],
    );
    expect(
      validate(datasetRows(1000, (_, index) => ({ label: `class ${index % 300}` }))).refusals,
    ).toEqual(['The labels have 300 distinct classes, but at most 100 can be trained on.']);
    expect(validate(datasetRows(1000, () => ({ features: { a: 1 } }))).refusals).toEqual([
      'No feature varies in the training rows.',
    ]);
    expect(validate([]).refusals[0]).toMatch(/^The number of labelled rows is 0, but/);
  });
});

describe('labelTask', () => {
  const task = (labels: (string | number)[], positiveLabel?: string) =>
    taskOf(
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
    [[10, 'other', 1], 'multiclass', ['1', '10', 'other']],
    [[0.5, 1], 'regression', []],
    [Array.from({ length: 21 }, (_, index) => index), 'regression', []],
  ] as const)('of %j is %s', (labels, expectedTask, classes) => {
    expect(task([...labels])).toMatchObject({ task: expectedTask, classes });
  });

  it('puts the declared positive label last', () => {
    expect(task(['churn', 'stay'], 'churn').classes).toEqual(['stay', 'churn']);
  });
});

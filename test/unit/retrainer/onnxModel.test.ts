import { describe, expect, it } from 'vitest';
import type { DatasetRow } from '../../../services/retrainer/dataset/dataset.ts';
import { onnxAnswers, onnxInputs } from '../../../services/retrainer/trainer/onnxContract.ts';
import { parityMistake } from '../../../services/retrainer/trainer/onnxParity.ts';
import type { RowOutput } from '../../../services/retrainer/trainer/trainerContract.ts';

const feature = (name: string, type: 'number' | 'text') => ({
  ...{ name, type },
  column: `${type}:${name}`,
});
const rows = [{ city: 'Rome', x: 1, y: 2 }, { y: 3 }].map(
  features => ({ features }) as unknown as DatasetRow,
);

describe('onnxInputs', () => {
  const [city, x, y] = [feature('city', 'text'), feature('x', 'number'), feature('y', 'number')];
  it('gives an input to each feature, in the order of the task, whatever their names are', () => {
    const inputs = [
      { name: 'a', type: 'string' },
      { name: 'b', type: 'float32' },
    ];
    expect(onnxInputs(inputs, [city, x], rows)).toEqual({
      a: { type: 'string', dims: [2, 1], data: ['Rome', ''] },
      b: { type: 'float32', dims: [2, 1], data: Float32Array.of(1, Number.NaN) },
    });
  });

  it('gives all numbers to one input', () => {
    const inputs = [{ name: 'X', type: 'float64' }];
    expect(onnxInputs(inputs, [x, y], rows)).toEqual({
      X: { type: 'float64', dims: [2, 2], data: Float64Array.of(1, 2, Number.NaN, 3) },
    });
  });

  it.each([
    [
      [{ name: 'X', type: 'float32' }],
      [x, city],
      'has one input for all features, but feature city',
    ],
    [
      [{ name: 'a', type: 'float32' }],
      [city],
      'has input a of type float32, expected string for feature city',
    ],
    [
      [{ name: 'a', type: 'string' }],
      [x],
      'has input a of type string, expected float32 or float64 for feature x',
    ],
    [
      ['a', 'b', 'c'].map(name => ({ name, type: 'float32' })),
      [x, y],
      'has 3 inputs, but the task has 2 features',
    ],
  ])('says which input is another one: %j', (inputs, features, message) => {
    expect(() => onnxInputs(inputs, features, rows)).toThrow(message);
  });
});

describe('onnxAnswers', () => {
  const shares = { type: 'float32', dims: [2, 2], data: Float32Array.of(0.75, 0.25, 0.5, 0.5) };
  it('reads classes with their probabilities in the ascending order of the classes', () => {
    const binary = { task: 'binary', classes: ['yes', 'no'] } as const;
    const labels = { type: 'string', dims: [2], data: ['no', 'yes'] };
    expect(onnxAnswers([labels, shares], { ...binary, classes: ['yes', 'no'] }, 2)).toEqual([
      { prediction: 'no', score: 0.75, probabilities: { no: 0.75, yes: 0.25 } },
      { prediction: 'yes', score: 0.5, probabilities: { no: 0.5, yes: 0.5 } },
    ]);
    const numbers = { type: 'int64', dims: [2], data: BigInt64Array.of(10n, 9n) };
    expect(onnxAnswers([numbers, shares], { task: 'multiclass', classes: [10, 9] }, 2)).toEqual([
      { prediction: '10', probabilities: { 9: 0.75, 10: 0.25 } },
      { prediction: '9', probabilities: { 9: 0.5, 10: 0.5 } },
    ]);
  });

  it('reads the numbers of a regression, and says what is missing', () => {
    const regression = { task: 'regression', classes: [] } as const;
    const values = { type: 'float32', dims: [2, 1], data: Float32Array.of(1.5, -2) };
    expect(onnxAnswers([values], { ...regression, classes: [] }, 2)).toEqual([
      { prediction: 1.5 },
      { prediction: -2 },
    ]);
    expect(() => onnxAnswers([values], { ...regression, classes: [] }, 3)).toThrow(
      'answers 2 times to 3 rows',
    );
    expect(() =>
      onnxAnswers([values, shares], { task: 'multiclass', classes: ['a', 'b', 'c'] }, 2),
    ).toThrow('gives 2 probabilities to a row, but the task has 3 classes');
  });
});

describe('parityMistake', () => {
  const outputs = (count: number, of: (row: number) => Partial<RowOutput>) =>
    new Map(
      Array.from({ length: count }, (_, row): [number, RowOutput] => [
        row,
        { prediction: 'no', predictionValue: null, score: null, probabilities: null, ...of(row) },
      ]),
    );
  it('lets one row in a hundred differ', () => {
    const given = outputs(200, () => ({}));
    const differing = (count: number) =>
      outputs(200, row => ({ prediction: row < count ? 'yes' : 'no' }));
    expect(parityMistake(given, differing(2))).toBeNull();
    expect(parityMistake(given, differing(3))).toBe(
      'model.onnx answers otherwise than predictions.jsonl to 3 of 200 rows, the first of them row 0: {"prediction":"yes"} instead of {"prediction":"no"}.',
    );
  });

  it('compares probabilities and numbers up to rounding, and misses no row', () => {
    const share = (yes: number) => outputs(5, () => ({ probabilities: { yes, no: 1 - yes } }));
    expect(parityMistake(share(0.5), share(0.505))).toBeNull();
    expect(parityMistake(share(0.5), share(0.52))).not.toBeNull();
    const value = (number: number) =>
      outputs(5, () => ({ prediction: String(number), predictionValue: number }));
    expect(parityMistake(value(1000), value(1000.5))).toBeNull();
    expect(parityMistake(value(1000), value(1002))).not.toBeNull();
    expect(parityMistake(value(1), new Map())).toMatch(/: undefined instead of|\{\} instead of/);
  });
});

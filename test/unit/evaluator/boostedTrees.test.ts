import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runInTurns } from '../../../services/evaluator/estimates/runInTurns.ts';
import {
  boostedValues,
  boostTrees,
  crossFit,
} from '../../../services/evaluator/learning/boostedTrees.ts';
import { codedFeature, featureCoding } from '../../../services/evaluator/learning/featureCoding.ts';
import { growTree, treeValue } from '../../../services/evaluator/learning/regressionTree.ts';
import type { FeatureValue } from '../../../services/shared/profile/featureProfile.ts';

const coded = (values: FeatureValue[]) => codedFeature(featureCoding('', values), values);
const rows = Array.from({ length: 400 }, (_, row) => row);
const one = rows.map(row => (row * 37) % 101);
const other = rows.map(row => (row * 53) % 89);
const features = [coded(one), coded(other)];
const noise = (row: number) => (row * 29) % 31;
const targets = Float64Array.from(
  rows,
  row => (Math.sin(one[row]! / 10) * other[row]!) / 10 + noise(row) / 10,
);
const asked = [0, 1, 2, 3, 50, 100, 399];

function expectAll(found: readonly number[], expected: readonly number[], digits = 9): void {
  expect(found).toEqual(expected.map(value => expect.closeTo(value, digits)));
}

describe('growTree', () => {
  it("predicts what scikit-learn's tree does", () => {
    // scikit-learn 1.9.1, DecisionTreeRegressor(max_leaf_nodes=6, min_samples_leaf=20)
    const tree = growTree(features, Uint32Array.from(rows), targets, 6, 20);
    expectAll(
      asked.map(row => treeValue(tree, features, row)),
      [
        3.2781924438960925, -1.4080546281387853, 4.75843429418806, 6.556675316049719,
        2.0694457929475822, 4.75843429418806, 6.556675316049719,
      ],
    );
  });

  it('splits categories and missing numbers as LightGBM does', () => {
    const category = rows.map(row => String(row % 7));
    const number = rows.map(row => (row % 5 === 0 ? null : one[row]!));
    const ofCategory = [3, 0, 2, 5, 1, 4, 0.5];
    const sums = Float64Array.from(rows, row => {
      const value = number[row];
      return ofCategory[row % 7]! + (value == null ? 4 : value / 50) + noise(row) / 100;
    });
    const both = [coded(category), coded(number)];
    const tree = growTree(both, Uint32Array.from(rows), sums, 5, 20);
    // LightGBM 4.5.0, LGBMRegressor(n_estimators=1, learning_rate=1, num_leaves=5,
    // min_child_samples=20, min_data_in_bin=1, cat_smooth=0, cat_l2=0, min_data_per_group=1,
    // max_cat_to_onehot=1), which computes in 32 bits
    expectAll(
      [0, 1, 2, 3, 36].map(row => treeValue(tree, both, row)),
      [
        8.148888996106884, 1.6387681248325152, 3.1404347590276083, 5.134338240831652,
        1.6387681248325152,
      ],
      6,
    );
  });

  it('sends unseen values to the larger side, and a number between two seen ones to a neighbour', () => {
    const coding = featureCoding('', [...rows.map(row => (row < 300 ? 1 : 5))]);
    const feature = codedFeature(
      coding,
      rows.map(row => (row < 300 ? 1 : 5)),
    );
    const tree = growTree(
      [feature],
      Uint32Array.from(rows),
      Float64Array.from(rows, row => Number(row >= 300)),
      2,
      20,
    );
    const predictedOf = (value: FeatureValue) =>
      treeValue(tree, [codedFeature(coding, [value])], 0);
    expect([1, 0.5, 5, 99, null, 'text', Number.NaN].map(predictedOf)).toEqual([
      0, 0, 1, 1, 0, 0, 0,
    ]);
    const texts = rows.map(row => (row < 300 ? 'a' : 'b'));
    const textCoding = featureCoding('', texts);
    const textTree = growTree(
      [codedFeature(textCoding, texts)],
      Uint32Array.from(rows),
      Float64Array.from(rows, row => Number(row >= 300)),
      2,
      20,
    );
    const predictedOfText = (value: FeatureValue) =>
      treeValue(textTree, [codedFeature(textCoding, [value])], 0);
    expect(['a', 'b', 'c', null].map(predictedOfText)).toEqual([0, 1, 0, 0]);
  });

  it('predicts the means of sufficiently large leaves, which add up to the sum of the targets', () => {
    const example = fc.record({
      values: fc.array(
        fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: -50, max: 50 })),
        {
          minLength: 1,
          maxLength: 60,
        },
      ),
      leaves: fc.integer({ min: 1, max: 8 }),
      least: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(example, ({ values, leaves, least }) => {
        const feature = coded(values.map(([value]) => value));
        const ofRows = Float64Array.from(values, ([, target]) => target);
        const tree = growTree([feature], Uint32Array.from(values.keys()), ofRows, leaves, least);
        const predicted = values.map((_, row) => treeValue(tree, [feature], row));
        const sum = (numbers: Iterable<number>) =>
          [...numbers].reduce((total, number) => total + number, 0);
        expect(sum(predicted)).toBeCloseTo(sum(ofRows), 8);
        const sizes = [...Map.groupBy(predicted, value => value).values()].map(of => of.length);
        expect(sizes.length).toBeLessThanOrEqual(leaves);
        expect(Math.min(...sizes)).toBeGreaterThanOrEqual(Math.min(least, values.length));
      }),
    );
  });
});

describe('boostTrees', () => {
  it("predicts what scikit-learn's gradient boosting does", () => {
    // scikit-learn 1.9.1, GradientBoostingRegressor(n_estimators=100, learning_rate=0.1,
    // max_leaf_nodes=31, max_depth=None, min_samples_leaf=20)
    const model = boostTrees(features, Uint32Array.from(rows), targets);
    expectAll(
      asked.map(row => boostedValues(model, features, row, row + 1)[0]!),
      [
        1.0217104767611829, -0.6454094592627131, 3.3687037564824585, 7.784367690363464,
        1.5906853519872244, 2.057262626312597, 6.7093837576870845,
      ],
    );
  });

  it('predicts each block by the model that was learned without it', async () => {
    const { models, heldOut } = await runInTurns(crossFit(features, targets));
    const changed = targets.map((target, row) => (row < 80 ? target + 1000 : target));
    const { models: others } = await runInTurns(crossFit(features, changed));
    expect(others[0]).toEqual(models[0]);
    expect(others[1]).not.toEqual(models[1]);
    expect(heldOut.slice(0, 80)).toEqual(boostedValues(models[0]!, features, 0, 80));
    expect(heldOut.slice(320)).toEqual(boostedValues(models[4]!, features, 320, 400));
  });

  it('lets the event loop take a turn after each model', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await runInTurns(crossFit(features, targets));
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(4);
  });
});

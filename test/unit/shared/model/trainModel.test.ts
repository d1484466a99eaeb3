import { describe, expect, it } from 'vitest';
import type { FeatureRow } from '../../../../services/shared/model/featureEncoder.ts';
import { type Model, predict } from '../../../../services/shared/model/model.ts';
import { seededRandom } from '../../../../services/shared/model/seededRandom.ts';
import {
  type LabelledRows,
  type TrainingOptions,
  trainModel,
} from '../../../../services/shared/model/trainModel.ts';

type Labeller = (row: { x: number; y: number; group: string }) => string | number;

function rowsOf(count: number, seed: number, label: Labeller): LabelledRows {
  const random = seededRandom(seed);
  const features: FeatureRow[] = [];
  const labels: (string | number)[] = [];
  for (let index = 0; index < count; index++) {
    const row = { x: random() * 20 - 10, y: random() * 1000, group: random() < 0.5 ? 'a' : 'b' };
    features.push(row);
    labels.push(label(row));
  }
  return { features, labels };
}

function optionsOf(
  task: TrainingOptions['task'],
  classes: string[],
  label: Labeller,
): TrainingOptions {
  return {
    task,
    classes,
    features: ['x', 'y', 'group'],
    train: rowsOf(1500, 1, label),
    select: rowsOf(400, 2, label),
    seed: 7,
  };
}

async function accuracy(model: Model, label: Labeller): Promise<number> {
  const rows = rowsOf(500, 3, label);
  const outputs = await predict(model, rows.features);
  return (
    outputs.filter((output, row) => output.prediction === rows.labels[row]).length / outputs.length
  );
}

async function meanError(model: Model, label: Labeller): Promise<number> {
  const rows = rowsOf(300, 3, label);
  const outputs = await predict(model, rows.features);
  const errors = outputs.map(({ prediction }, row) =>
    Math.abs((prediction as number) - (rows.labels[row] as number)),
  );
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}

const exclusiveOr: Labeller = ({ x, group }) => (x > 0 === (group === 'a') ? 'yes' : 'no');
const weightsOf = (model: Model) =>
  model.layers.getWeights().map(weight => Array.from(weight.dataSync()));

describe('trainModel', () => {
  it('learns a binary concept that no single feature shows', async () => {
    const model = await trainModel(optionsOf('binary', ['no', 'yes'], exclusiveOr));
    expect(await accuracy(model, exclusiveOr)).toBeGreaterThan(0.95);
    const [output] = await predict(model, [{ x: 8, y: 500, group: 'a' }]);
    expect(output).toMatchObject({ prediction: 'yes' });
    expect(output!.score).toBe(output!.probabilities!.yes);
    expect(output!.probabilities!.yes! + output!.probabilities!.no!).toBeCloseTo(1, 12);
  });

  it('learns from the few rows that there are just after a change', async () => {
    const label: Labeller = ({ x, y }) => 1000 * x + 10 * y;
    const few = { train: rowsOf(100, 1, label), select: rowsOf(40, 2, label) };
    const model = await trainModel({ ...optionsOf('regression', [], label), ...few });
    expect(await meanError(model, label)).toBeLessThan(300);
  });

  it('learns three classes', async () => {
    const label: Labeller = ({ y }) => (y < 300 ? 'low' : y < 700 ? 'middle' : 'high');
    const model = await trainModel(optionsOf('multiclass', ['high', 'low', 'middle'], label));
    expect(await accuracy(model, label)).toBeGreaterThan(0.93);
    const [output] = await predict(model, [{ x: 0, y: 20, group: 'b' }]);
    expect(output!.prediction).toBe('low');
    expect(output!.score).toBeUndefined();
  });

  it('learns a number on its own scale', async () => {
    const label: Labeller = ({ x, y }) => 1e6 + 1000 * x + 10 * y;
    const model = await trainModel(optionsOf('regression', [], label));
    expect(await meanError(model, label)).toBeLessThan(800); // the labels' own standard deviation is 6,500
  });

  it('gives bit-identical weights for the same data and seed, and others for another seed', async () => {
    const options = optionsOf('binary', ['no', 'yes'], exclusiveOr);
    const first = weightsOf(await trainModel(options));
    expect(weightsOf(await trainModel(options))).toEqual(first);
    expect(weightsOf(await trainModel({ ...options, seed: 8 }))).not.toEqual(first);
    // These are three trainings on the backend of this machine, which may be slow.
  }, 30_000);

  it('keeps the weights of the best epoch on the select rows', async () => {
    const options = optionsOf('binary', ['no', 'yes'], exclusiveOr);
    let epochs = 0;
    const model = await trainModel({ ...options, afterEpoch: async () => void epochs++ });
    expect(model.epochs).toBeLessThanOrEqual(epochs);
    const outputs = await predict(model, options.select.features);
    const logLoss = outputs.map(
      (output, row) => -Math.log(output.probabilities![options.select.labels[row] as string]!),
    );
    expect(logLoss.reduce((sum, loss) => sum + loss, 0) / logLoss.length).toBeCloseTo(
      model.selectLoss,
      4,
    );
  });

  it('predicts a rare class from the probability on at which F1 is highest, or what costs least', async () => {
    // 5 % are rare, and hardly any of them is more probable than not.
    const random = seededRandom(11);
    const rare: Labeller = ({ x }) => (random() < (x > 7 ? 0.33 : 0.003) ? 'yes' : 'no');
    const options = optionsOf('binary', ['no', 'yes'], rare);
    const recallOf = async (model: Model) => {
      const rows = rowsOf(3_000, 3, rare);
      const outputs = await predict(model, rows.features);
      const found = rows.labels.map((label, row) => [label, outputs[row]!.prediction]);
      const positives = found.filter(([label]) => label === 'yes');
      return positives.filter(([, said]) => said === 'yes').length / positives.length;
    };
    const model = await trainModel(options);
    const threshold = model.costs!.no!.yes!;
    expect(threshold).toBeGreaterThan(0.05);
    expect(threshold).toBeLessThan(0.4);
    expect(await recallOf({ ...model, costs: null })).toBeLessThan(0.2);
    expect(await recallOf(model)).toBeGreaterThan(0.5);
    const dear = await trainModel({ ...options, costs: { yes: { no: 1e9 } } });
    expect(await recallOf(dear)).toBe(1);
  });
});

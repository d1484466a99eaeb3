import { describe, expect, it } from 'vitest';
import type { DatasetRow } from '../../../services/retrainer/dataset/dataset.ts';
import type { TrainRows } from '../../../services/retrainer/dataset/trainRows.ts';
import { bestCandidate } from '../../../services/retrainer/run/bestCandidate.ts';
import { comparedRows } from '../../../services/retrainer/run/comparedRows.ts';
import type { Candidate } from '../../../services/retrainer/run/trainCandidate.ts';
import type {
  RowOutput,
  TrainingTask,
} from '../../../services/retrainer/trainer/trainerContract.ts';
import type { OutputMeaning } from '../../../services/shared/output/outputMeaning.ts';
import { binaryMeaning, datasetRows } from './dataset.ts';

const meaning = binaryMeaning;
const classes = ['no', 'yes'];
const says = (fields: Partial<RowOutput> = {}): RowOutput => ({
  prediction: 'no',
  predictionValue: null,
  score: null,
  probabilities: null,
  ...fields,
});
const answersOf = (rows: readonly DatasetRow[], output = says()) =>
  new Map(rows.map((_, row) => [row, output]));
const all = (rows: readonly DatasetRow[]) => ({ start: 0, end: rows.length });

describe('comparedRows', () => {
  // Labels are yes, no, no.
  const rows = datasetRows(3, () => ({ score: 0.3 }));
  const compare = (of: Partial<OutputMeaning>, output = says(), changed = rows) =>
    comparedRows(
      { rows: changed, meaning: { ...meaning, ...of }, classes },
      all(changed),
      answersOf(changed, output),
      '1',
    );

  it('reads the score of the champion as the probability of the true class', () => {
    const champion = (of: Partial<OutputMeaning>) =>
      compare(of).map(({ championProbability }) => championProbability);
    expect(champion({})).toEqual([0.3, 0.7, 0.7]);
    expect(champion({ scoreOf: 'no' })).toEqual([0.7, 0.3, 0.3]);
    // It predicts no, so its confidence is about no.
    expect(champion({ scoreIs: 'confidence' })).toEqual([0.7, 0.3, 0.3]);
    expect(champion({ scoresAreProbabilities: false })).toEqual([null, null, null]);
    const logged = datasetRows(2, () => ({ score: 0.3, labelProbability: 0.25 }));
    expect(compare({ task: 'multiclass' }, says(), logged)[0]!.championProbability).toBe(0.25);
  });

  it('reads what a challenger gives, in its spelling', () => {
    const challenger = (output: RowOutput) =>
      compare({}, output).map(row => [row.challenger.prediction, row.challengerProbability]);
    const byName = says({ prediction: 'true', probabilities: { no: 0.1, true: 0.9 } });
    expect(challenger(byName)).toEqual([
      ['yes', 0.9],
      ['yes', 0.1],
      ['yes', 0.1],
    ]);
    expect(challenger(says({ score: 0.8 }))[0]).toEqual(['no', 0.8]);
    expect(challenger(says({ score: 0.8 }))[1]![1]).toBeCloseTo(0.2, 12);
    expect(challenger(says())[0]).toEqual(['no', null]);
  });

  it('leaves out rows of other versions and rows without a class', () => {
    const others = datasetRows(4, (_, index) => ({
      ...(index === 1 && { version: '0' }),
      ...(index === 2 && { prediction: '' }),
    }));
    expect(compare({}, says(), others)).toHaveLength(2);
  });

  it('knows the entity by a feature that identifies something and comes again', () => {
    const named = (name: string, values: number) =>
      datasetRows(200, (row, index) => ({ features: { ...row.features, [name]: index % values } }));
    const entities = (changed: DatasetRow[]) =>
      new Set(compare({}, says(), changed).map(({ entity }) => entity)).size;
    expect(entities(named('customer_id', 50))).toBe(50);
    expect(entities(named('customer_id', 19)), 'too few').toBe(1);
    expect(entities(named('customer_id', 200)), 'one row each').toBe(1);
    expect(entities(named('price', 50)), 'no identifier').toBe(1);
  });
});

describe('bestCandidate', () => {
  const rows = datasetRows(60);
  const split = {
    train: { start: 0, end: 20 },
    select: { start: 20, end: 40 },
    gate: { start: 40, end: 60 },
  };
  const snapshot = { rows, split, meaning, classes };
  const candidate = (name: TrainRows['name'], outputs: Candidate['outputs']): Candidate => ({
    trainedFolder: '',
    task: {} as TrainingTask,
    artifactUri: '',
    artifactChecksum: '',
    outputs,
    trainRows: { name, range: split.train, drawn: null },
    notes: [],
  });
  /** Gives the true class a probability on the select rows, and none of the others on the rest. */
  const sure = (probability: number) =>
    new Map(
      rows.map(({ label }, row) => {
        const isSelect = row >= 20 && row < 40;
        const given = isSelect ? probability : 1 - probability;
        return [row, says({ probabilities: { [label]: given } })];
      }),
    );

  it('is the one with the lowest loss on the select rows', () => {
    const best = bestCandidate(snapshot, [
      candidate('all', sure(0.6)),
      candidate('since_change', sure(0.9)),
      candidate('recent', sure(0.7)),
    ]);
    expect(best.trainRows.name).toBe('since_change');
    expect(best.notes).toEqual([
      'Rows: the candidate was trained on the rows since the change. Its loss on the select rows is the lowest: ' +
        '0.5108 on all rows, 0.1054 on the rows since the change, 0.3567 on all rows, the recent ones more often.',
    ]);
  });

  it('is the one whose predictions cost least, where costs are configured', () => {
    const answers = (prediction: string, yes: number) =>
      says({ prediction, probabilities: { yes, no: 1 - yes } });
    const surest = new Map(
      rows.map(({ label }, row) => [row, answers('no', label === 'yes' ? 0.4 : 0.1)]),
    );
    const cheapest = new Map(rows.map((_, row) => [row, answers('yes', 0.5)]));
    const candidates = [candidate('all', surest), candidate('recent', cheapest)];
    expect(bestCandidate(snapshot, candidates).trainRows.name).toBe('all');
    const costs = { yes: { no: 20 } };
    expect(bestCandidate(snapshot, candidates, costs).trainRows.name).toBe('recent');
  });

  it('is the first one where outputs of the select rows are missing', () => {
    const partly = sure(0.9);
    partly.delete(25);
    const best = bestCandidate(snapshot, [
      candidate('all', sure(0.6)),
      candidate('recent', partly),
    ]);
    expect(best.trainRows.name).toBe('all');
    expect(best.notes).toEqual([expect.stringMatching(/left no outputs for the select rows\.$/)]);
    expect(bestCandidate(snapshot, [candidate('all', partly)]).notes).toEqual([]);
  });
});

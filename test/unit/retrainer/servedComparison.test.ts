import { describe, expect, it } from 'vitest';
import { minAnytimeRows } from '../../../services/retrainer/gates/anytimeComparison.ts';
import { pairedGateRows } from '../../../services/retrainer/shadow/pairedGateRows.ts';
import {
  judgeInShadow,
  judgeInWatch,
  maxComparedRows,
} from '../../../services/retrainer/shadow/servedVerdicts.ts';
import type { LoggedOutput, PairedRow } from '../../../services/retrainer/store/shadowQueries.ts';
import { readSettings } from '../../../services/shared/config/settings.ts';
import { binaryMeaning } from './dataset.ts';

const settings = readSettings(undefined).of('m');
const meaning = binaryMeaning;

interface Answers {
  isWrong(row: number): boolean;
  /** Probability of the class that is predicted, logged as the score of `yes`. */
  score?: number;
}

function paired(rows: number, served: Answers, shadow: Answers): PairedRow[] {
  return Array.from({ length: rows }, (_, row) => {
    const label = row % 2 === 0 ? 'yes' : 'no';
    const output = ({ isWrong, score }: Answers): LoggedOutput => {
      const prediction = isWrong(row) === (label === 'yes') ? 'no' : 'yes';
      const ofYes = score === undefined ? null : prediction === 'yes' ? score : 1 - score;
      return { prediction, predictionValue: null, score: ofYes, probabilities: {} };
    };
    return {
      ...{ eventTimeMs: row, label, labelValue: null, weight: 1, segments: {} },
      identifiers: {},
      served: output(served),
      shadow: output(shadow),
    };
  });
}

const every = (step: number) => ({ isWrong: (row: number) => row % step === 0 });
const inShadow = (pairs: PairedRow[]) =>
  judgeInShadow(
    { task: 'binary', rows: pairedGateRows(pairs, meaning, 'shadow'), settings },
    pairs.slice(0, 100),
    'better',
  );

describe('judgeInShadow', () => {
  it('approves what is better, rejects what is worse, and waits otherwise', () => {
    expect(inShadow(paired(700, every(3), every(21)))).toEqual({
      action: 'approve',
      note: expect.stringMatching(
        /^Better in shadow\. On the same 700 rows, its error rate is 0\.04/,
      ),
    });
    expect(inShadow(paired(700, every(21), every(3))).action).toBe('reject');
    expect(inShadow(paired(700, every(21), every(21))).action).toBeNull();
    expect(inShadow(paired(minAnytimeRows - 1, every(3), every(21))).action).toBeNull();
  });

  it('rejects what is better and worse than a constant', () => {
    const { action, note } = inShadow(
      paired(900, { isWrong: () => true }, { isWrong: row => row % 2 === 0 || row % 9 === 1 }),
    );
    expect(action).toBe('reject');
    expect(note).toMatch(/^Better in shadow, but a gate rejects it\. /);
  });

  it('ends with a rejection when many rows have not decided', () => {
    const { action, note } = inShadow(paired(maxComparedRows, every(21), every(21)));
    expect(action).toBe('reject');
    expect(note).toMatch(/^Not decided in shadow after so many rows\. /);
  });
});

describe('judgeInWatch', () => {
  const inWatch = (pairs: PairedRow[]) =>
    judgeInWatch({ task: 'binary', rows: pairedGateRows(pairs, meaning, 'served'), settings });

  it('goes back from a champion that does worse than its predecessor would', () => {
    expect(inWatch(paired(700, every(3), every(21)))).toEqual({
      action: 'rollback',
      note: expect.stringMatching(
        /^Worse than its predecessor\. .* is 0\.3343, and its predecessor's would be 0\.04/,
      ),
    });
    expect(inWatch(paired(700, every(21), every(3))).action).toBeNull();
    expect(inWatch(paired(700, every(21), every(21))).action).toBeNull();
  });
});

describe('pairedGateRows', () => {
  it('compares probabilities of the true class', () => {
    const pairs = paired(8, { isWrong: () => false, score: 0.9 }, { ...every(2), score: 0.75 });
    const rows = pairedGateRows(pairs, meaning, 'shadow');
    expect(rows.map(row => row.championProbability)).toEqual(Array(8).fill(0.9));
    expect(rows.slice(0, 2).map(row => row.challengerProbability)).toEqual([0.25, 0.75]);
    expect(rows[0]).toMatchObject({
      champion: { prediction: 'yes' },
      challenger: { prediction: 'no' },
    });
  });

  it('compares errors where scores of the version in shadow are about the other class', () => {
    const pairs = paired(40, { ...every(5), score: 0.9 }, { ...every(5), score: 0.1 });
    const [row] = pairedGateRows(pairs, meaning, 'shadow');
    expect(row!.challengerProbability).toBeNull();
    expect(row!.championProbability).toBeCloseTo(0.1, 12);
  });
});

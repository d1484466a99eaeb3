import type { ModelSettings } from '../../shared/config/settings.ts';
import { seededRandom } from '../../shared/model/seededRandom.ts';
import type { RowRange } from './dataSplit.ts';

/** The rows that a candidate is trained on. */
export interface TrainRows {
  name: 'all' | 'recent' | 'since_change';
  range: RowRange;
  /** Row numbers to train on in ascending order, some several times. Null: each row of the range once. */
  drawn: number[] | null;
}

/** A model that is trained on fewer rows is worse than the old one on nearly every change. */
const minTrainRows = 100;
/** After this share of the rows, counted from the newest, a row counts half. */
const halfLifeShare = 0.2;

/**
 * Returns the rows on which candidates are trained, one candidate each: all; all with the recent
 * ones more often; and those since the change, as far as they suffice. Which of them teaches most
 * depends on how the world changed, and that is seen only afterwards: after a step it is the rows
 * since the change, after a shift of inputs or a season that comes again it is all of them.
 *
 * @param changedAt first row since the change; 0 if none is known
 * @param drawsRows whether the trainer is known to follow `drawn`
 */
export function trainRows(
  train: RowRange,
  changedAt: number,
  wanted: ModelSettings['retraining']['rows'],
  { drawsRows, seed }: { drawsRows: boolean; seed: number },
): TrainRows[] {
  const since = { start: changedAt, end: train.end };
  const choices: Record<TrainRows['name'], () => TrainRows[]> = {
    all: () => [{ name: 'all', range: train, drawn: null }],
    since_change: () =>
      changedAt > train.start && since.end - since.start >= minTrainRows
        ? [{ name: 'since_change', range: since, drawn: null }]
        : [],
    recent: () => [{ name: 'recent', range: train, drawn: drawRecent(train, seed) }],
  };
  if (wanted === 'auto')
    return [...choices.all(), ...choices.since_change(), ...(drawsRows ? choices.recent() : [])];
  const chosen = choices[wanted]();
  return chosen.length > 0 ? chosen : choices.all();
}

/** Draws as many rows as there are, with replacement, a recent one with a higher probability. */
function drawRecent({ start, end }: RowRange, seed: number): number[] {
  const random = seededRandom(seed);
  const count = end - start;
  const halfLife = Math.max(1, count * halfLifeShare);
  // The age is exponential, cut off at the oldest row.
  const oldest = 1 - 2 ** (-count / halfLife);
  const drawn = Array.from({ length: count }, () => {
    const age = -halfLife * Math.log2(1 - random() * oldest);
    return Math.max(start, end - 1 - Math.floor(age));
  });
  return drawn.sort((one, other) => one - other);
}

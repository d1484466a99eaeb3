import { type Costs, costOf } from '../../shared/model/costs.ts';
import type { TrainRows } from '../dataset/trainRows.ts';
import { shown } from '../gates/gate.ts';
import { logLoss, predictionLoss } from '../gates/losses.ts';
import { weightedMean } from '../gates/meanInterval.ts';
import { answers } from './comparedRows.ts';
import type { Snapshot } from './snapshot.ts';
import type { Candidate } from './trainCandidate.ts';

/** The choices of rows in sentences. */
export const namesOfRows: Readonly<Record<TrainRows['name'], string>> = {
  all: 'all rows',
  recent: 'all rows, the recent ones more often',
  since_change: 'the rows since the change',
};

/**
 * Returns the candidate that is the best on the select rows, with a note on the others: the first
 * one where a trainer left no outputs for those rows. The best one has the lowest mean cost where
 * costs are configured, and otherwise the lowest log-loss or error.
 * @param candidates at least one
 * @param costs settings.output.costs
 */
export function bestCandidate(
  snapshot: Pick<Snapshot, 'rows' | 'split' | 'meaning' | 'classes'>,
  candidates: readonly Candidate[],
  costs?: Costs,
): Candidate {
  const [first] = candidates;
  const losses = candidates.map(candidate => selectLoss(snapshot, candidate, costs));
  if (candidates.length === 1) return first!;
  if (!losses.every(loss => loss !== null)) {
    const note =
      `Rows: the candidate was trained on ${namesOfRows[first!.trainRows.name]}. Others cannot be ` +
      'compared with it, because the trainer left no outputs for the select rows.';
    return { ...first!, notes: [note] };
  }
  const best = losses.indexOf(Math.min(...losses));
  const chosen = candidates[Math.max(0, best)]!;
  const tried = candidates
    .map(({ trainRows }, index) => `${shown(losses[index]!)} on ${namesOfRows[trainRows.name]}`)
    .join(', ');
  const note =
    `Rows: the candidate was trained on ${namesOfRows[chosen.trainRows.name]}. Its loss on the ` +
    `select rows is the lowest: ${tried}.`;
  return { ...chosen, notes: [note] };
}

/** Returns the mean loss on the select rows, or null if an output of one is missing. */
function selectLoss(
  snapshot: Pick<Snapshot, 'rows' | 'split' | 'meaning' | 'classes'>,
  { outputs }: Candidate,
  costs: Costs | undefined,
): number | null {
  const { rows, split, meaning } = snapshot;
  const { start, end } = split.select;
  for (let row = start; row < end; row++) if (!outputs.has(row)) return null;
  if (start === end) return null;
  const given = answers(snapshot, split.select, outputs);
  const areProbable = given.every(({ probability }) => probability !== null);
  const losses = given.map(({ output, probability }, index) => {
    const truth = rows[start + index]!;
    if (costs && meaning.task !== 'regression')
      return costOf(costs, truth.label, output.prediction);
    return areProbable ? logLoss(probability!) : predictionLoss(meaning.task, truth, output);
  });
  const weights = rows.slice(start, end).map(({ weight }) => weight);
  return weightedMean(losses, weights);
}

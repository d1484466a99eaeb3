import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Task } from '../../shared/task.ts';
import { anytimeComparison } from '../gates/anytimeComparison.ts';
import type { GateRow } from '../gates/gate.ts';
import { judgeChallenger } from '../gates/gates.ts';
import { decisiveLosses, type PastLabel } from '../gates/losses.ts';

/** Rows after which a challenger that is still not better will hardly become so. */
export const maxComparedRows = 20_000;

/** What a comparison of two versions on served rows asks for, and its numbers as a note. */
export interface ServedVerdict<Action extends string> {
  action: Action | null;
  note: string;
}

interface ServedRows {
  task: Task;
  rows: readonly GateRow[];
  settings: Pick<ModelSettings, 'output' | 'segments'>;
}

/**
 * Decides whether a challenger in shadow is approved or rejected, or whether more rows are waited
 * for. It is approved when the comparison says that it is better, and the other gates pass on the
 * same rows.
 * @param past labels of the rows before, the oldest first, which constants are taken from
 */
export function judgeInShadow(
  { task, rows, settings }: ServedRows,
  past: readonly PastLabel[],
  rule: 'better' | 'not-worse',
): ServedVerdict<'approve' | 'reject'> {
  const { costs } = settings.output;
  const losses = decisiveLosses(task, rows, past, costs);
  const { verdict, sentence } = anytimeComparison(losses, rule);
  if (verdict === 'worse') return { action: 'reject', note: `Worse in shadow. ${sentence}` };
  if (verdict === 'better') {
    const gates = judgeChallenger(task, rows, settings.segments, { past, rule, costs });
    if (gates.verdict === 'promote')
      return { action: 'approve', note: `Better in shadow. ${sentence}` };
    if (gates.verdict === 'reject')
      return {
        action: 'reject',
        note: `Better in shadow, but a gate rejects it. ${sentence} ${gates.reasons[0]}`,
      };
  }
  return rows.length >= maxComparedRows
    ? { action: 'reject', note: `Not decided in shadow after so many rows. ${sentence}` }
    : { action: null, note: sentence };
}

/**
 * Decides whether a champion is rolled back, because it does worse than its predecessor would.
 * @param rows the predecessor is the champion of the rows, and the champion its challenger
 */
export function judgeInWatch({ task, rows, settings }: ServedRows): ServedVerdict<'rollback'> {
  const losses = decisiveLosses(task, rows, [], settings.output.costs);
  const { verdict, sentence } = anytimeComparison(losses, 'better', "its predecessor's would be");
  return verdict === 'worse'
    ? { action: 'rollback', note: `Worse than its predecessor. ${sentence}` }
    : { action: null, note: sentence };
}

import type { AliasName } from './names.ts';

/** What is known of an alias. Versions are MLflow's numbers, and null is none. */
export interface AliasView {
  alias: AliasName;
  /** What it names in MLflow. */
  inMlflow: string | null;
  /**
   * What Driftloop has let it name there last. None if it never has, and several while it moves it:
   * after a cut nobody knows whether that was done.
   */
  written: readonly (string | null)[];
  /** What it names in Driftloop; undefined as long as Driftloop has never moved it. */
  wanted: string | null | undefined;
  /** The request that an earlier look has made of a move in MLflow. */
  request: { id: string; number: string } | null;
  /** Driftloop's answer to that request, or null as long as there is none. */
  answer: AliasAnswer | null;
}

export interface AliasAnswer {
  accepted: boolean;
  reason: string;
  /** Whether what follows from the answer is in `wanted`. */
  isInForce: boolean;
}

export type AliasStep =
  | { kind: 'nothing' }
  /** Lets the alias name `number`, notes that, and forgets a request. */
  | { kind: 'write'; number: string | null }
  /** The same, and says why somebody's move does not stand. */
  | { kind: 'set-back'; number: string | null; reason: string }
  /** Makes a request of a move. */
  | { kind: 'ask'; number: string }
  /** Sees to it that the request is sent, and waits for what follows from its answer. */
  | { kind: 'wait' };

/**
 * Decides what to do about an alias. Only Driftloop moves aliases, so one that names something else
 * than Driftloop has written is the wish of a person, and becomes a request.
 *
 * An alias that Driftloop has never moved may have been there before. It stays as it was found until
 * Driftloop has a version for it.
 */
export function aliasStep(view: AliasView): AliasStep {
  const { inMlflow, written, request, answer } = view;
  const found = written.length === 0 ? inMlflow : written.at(-1)!;
  const wanted = view.wanted === undefined ? found : view.wanted;
  const write = { kind: 'write', number: wanted } as const;
  const isNoted = written.length === 1 && written[0] === wanted;
  if (inMlflow === wanted) return isNoted && request === null ? { kind: 'nothing' } : write;
  const isMovedThere = written.length > 0 && !written.includes(inMlflow);
  if (!isMovedThere) return write;
  const mistake = mistakeOf(view);
  if (mistake !== null) return { kind: 'set-back', number: wanted, reason: mistake };
  if (request?.number !== inMlflow) return { kind: 'ask', number: inMlflow! };
  if (answer === null) return { kind: 'wait' };
  if (!answer.accepted) return { kind: 'set-back', number: wanted, reason: answer.reason };
  return answer.isInForce ? write : { kind: 'wait' };
}

/** Says why nothing can be asked for with a move, or returns null. */
function mistakeOf({ alias, inMlflow }: AliasView): string | null {
  if (alias === 'challenger')
    return 'The alias challenger follows the newest version that waits for approval.';
  if (alias === 'previous')
    return 'The alias previous follows the champion before the present one.';
  if (inMlflow === null)
    return 'A model without a champion cannot be asked for. Let the alias name another version.';
  return null;
}

import type { ModelAlias } from '../../shared/contracts.ts';
import { championOf, type KnownVersion, type ModelState } from './modelState.ts';

export type AliasName = ModelAlias['alias'];
/** The version that each alias names, or null. */
export type Aliases = Record<AliasName, string | null>;

export const aliasNames: readonly AliasName[] = ['champion', 'challenger', 'previous'];

/**
 * Returns which versions the aliases of a model name. `previous` is the version that served before
 * the champion was promoted, so that several rollbacks go back step by step. `challenger` is the
 * newest version in shadow or waiting for approval.
 */
export function aliasesOf(state: ModelState): Aliases {
  const champion = championOf(state);
  const known = [...state.versions.values()];
  const former = known.filter(
    ({ state: name, rank }) => name === 'superseded' && champion !== null && rank < champion.rank,
  );
  const waiting = known.filter(
    ({ state: name }) => name === 'shadow' || name === 'waiting_for_approval',
  );
  return {
    champion: champion?.version ?? null,
    challenger: last(waiting, ({ sequence }) => sequence),
    previous: last(former, ({ rank }) => rank),
  };
}

function last(
  versions: readonly KnownVersion[],
  order: (version: KnownVersion) => number,
): string | null {
  return versions.toSorted((a, b) => order(a) - order(b)).at(-1)?.version ?? null;
}

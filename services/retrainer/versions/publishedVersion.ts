import type { ModelAlias, ModelVersion } from '../../shared/contracts.ts';
import { deterministicId } from '../../shared/deterministicId.ts';
import { type Aliases, aliasNames } from './aliases.ts';
import type { AnsweredRequest, VersionState, VersionStep } from './modelState.ts';

/** What stays the same about a version for the whole of its life. */
export type VersionFacts = Omit<
  ModelVersion,
  'id' | 'status' | 'time' | 'state' | 'changedBy' | 'note' | 'requestId' | 'sequence'
>;

/**
 * Whether a version may be served in a state. Programs that know nothing of states follow this, and
 * serve the version of the last approved record.
 */
export const statusOfState: Readonly<Record<VersionState, ModelVersion['status']>> = {
  candidate: 'candidate',
  shadow: 'candidate',
  waiting_for_approval: 'candidate',
  approved: 'approved',
  champion: 'approved',
  superseded: 'approved',
  rolled_back: 'rejected',
  rejected: 'rejected',
  retired: 'rejected',
};

/** States that a version comes to once at most. */
const comesOnce: ReadonlySet<VersionState> = new Set([
  'candidate',
  'shadow',
  'waiting_for_approval',
  'approved',
  'rejected',
]);

/** Returns what makes the identity of a version in a state; a replay gives the same. */
export function identityOfState({
  model,
  version,
  status,
  state,
  sequence,
}: Pick<ModelVersion, 'model' | 'version' | 'status' | 'state' | 'sequence'>): string[] {
  const name = state ?? status;
  return comesOnce.has(name) ? [model, version, name] : [model, version, name, String(sequence)];
}

/** Returns the record of a version in a state that the gates brought it to. */
export function recordOfGates(
  facts: VersionFacts,
  state: 'candidate' | 'rejected',
  timeMs: number,
): ModelVersion {
  const byGates = { changedBy: 'the gates', note: null, requestId: null, sequence: null };
  return withId({ ...facts, status: state, state, time: timeMs, ...byGates });
}

/** Returns the record of a version after a step. */
export function recordOfStep(
  facts: VersionFacts,
  { state, sequence, reason }: VersionStep,
  { request, answeredAtMs }: AnsweredRequest,
): ModelVersion {
  return withId({
    ...facts,
    status: statusOfState[state],
    time: answeredAtMs,
    state,
    changedBy: request.requestedBy,
    note: request.note ?? reason,
    requestId: request.id,
    sequence,
  });
}

function withId(record: Omit<ModelVersion, 'id'>): ModelVersion {
  return { id: deterministicId('model-version', ...identityOfState(record)), ...record };
}

/** Returns the records of the aliases that a request has moved, given what they named before. */
export function movedAliases(
  before: Aliases,
  after: Aliases,
  { request, sequence, answeredAtMs }: AnsweredRequest,
  factsOf: ReadonlyMap<string, VersionFacts>,
): ModelAlias[] {
  const moved = aliasNames.filter(alias => before[alias] !== after[alias]);
  return moved.map(alias => {
    const { model } = request;
    const version = after[alias];
    const facts = version === null ? undefined : factsOf.get(version);
    return {
      id: deterministicId('model-alias', model, alias, sequence),
      model,
      alias,
      version,
      artifactUri: facts?.artifactUri ?? null,
      artifactChecksum: facts?.artifactChecksum ?? null,
      sequence,
      requestId: request.id,
      changedBy: request.requestedBy,
      note: request.note,
      time: answeredAtMs,
    };
  });
}

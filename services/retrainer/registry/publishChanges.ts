import type { ModelAlias, ModelVersion } from '../../shared/contracts.ts';
import { revisionOfStep, type StoredVersion } from '../store/modelVersionTable.ts';
import type { RetrainerStore } from '../store/store.ts';
import { type Aliases, aliasesOf, aliasNames } from '../versions/aliases.ts';
import { type AnsweredRequest, modelState } from '../versions/modelState.ts';
import { movedAliases, recordOfStep } from '../versions/publishedVersion.ts';

export interface PublishTarget {
  store: Pick<RetrainerStore, 'versions' | 'steps' | 'aliases'>;
  publish(version: ModelVersion): Promise<void>;
  publishAliases(aliases: ModelAlias[]): Promise<void>;
}

const noAliases: Aliases = { champion: null, challenger: null, previous: null };

/**
 * Publishes the steps of the last of some requests and the aliases that it moved, in their order.
 *
 * A process that was frozen may come here when another one has answered later requests. What it
 * publishes is out of date then. So it looks once more afterwards, and publishes the present state
 * if there is a newer one.
 */
export async function publishChanges(
  answered: readonly AnsweredRequest[],
  versions: readonly StoredVersion[],
  target: PublishTarget,
): Promise<void> {
  const last = answered.at(-1)!;
  const { model } = last.request;
  for (const index of last.steps.keys()) await publishStep(last, index, versions, target);
  await publishAliases(aliasesMovedBy(answered, versions), target);
  if ((await target.store.steps.selectLastSequence(model)) > last.sequence)
    await publishPresentState(model, new Set(last.steps.map(({ version }) => version)), target);
}

/**
 * Publishes the present state of some versions of a model, then its champion, because whoever knows
 * nothing of states serves the last approved record, then its aliases.
 */
export async function publishPresentState(
  model: string,
  names: ReadonlySet<string>,
  target: PublishTarget,
): Promise<void> {
  const { store } = target;
  const answered = await store.steps.selectAnswered(model);
  const versions = await store.versions.selectVersions(model);
  const { champion } = aliasesOf(stateOf(answered, versions));
  for (const name of [...names].filter(version => version !== champion).concat(champion ?? [])) {
    const isOfVersion = ({ version }: { version: string }) => version === name;
    const latest = answered.findLast(({ steps }) => steps.some(isOfVersion));
    if (latest)
      await publishStep(latest, latest.steps.findLastIndex(isOfVersion), versions, target);
  }
  await publishAliases(presentAliases(answered, versions), target);
  const last = await store.steps.selectLastSequence(model);
  if (last > answered.at(-1)!.sequence) await publishPresentState(model, names, target);
}

/** Publishes a step. A version that the retrainer did not make has no record, only aliases. */
async function publishStep(
  answered: AnsweredRequest,
  index: number,
  versions: readonly StoredVersion[],
  { store, publish }: PublishTarget,
): Promise<void> {
  const step = answered.steps[index]!;
  const stored = versions.find(({ facts }) => facts.version === step.version);
  if (!stored) return;
  const record = recordOfStep(stored.facts, step, answered);
  const revision = revisionOfStep(step.sequence, index + 1);
  await store.versions.insert(record, revision, stored.trained.judgedAtMs);
  await publish(record);
}

async function publishAliases(aliases: ModelAlias[], target: PublishTarget): Promise<void> {
  if (aliases.length === 0) return;
  await target.store.aliases.insert(aliases);
  await target.publishAliases(aliases);
}

/** Returns the records of the aliases that the last of some requests has moved. */
function aliasesMovedBy(
  answered: readonly AnsweredRequest[],
  versions: readonly StoredVersion[],
): ModelAlias[] {
  const earlier = stateOf(answered.slice(0, -1), versions);
  // Of a model that only Driftloop 0.1 has promoted versions of, no alias was published yet.
  const before = earlier.formerChampion === null ? aliasesOf(earlier) : noAliases;
  const after = aliasesOf(stateOf(answered, versions));
  const facts = new Map(versions.map(version => [version.facts.version, version.facts]));
  return movedAliases(before, after, answered.at(-1)!, facts);
}

/** Returns each alias as the last request has left it that moved it. */
function presentAliases(
  answered: readonly AnsweredRequest[],
  versions: readonly StoredVersion[],
): ModelAlias[] {
  const found = new Map<string, ModelAlias>();
  for (let end = answered.length; end > 0 && found.size < aliasNames.length; end--)
    for (const alias of aliasesMovedBy(answered.slice(0, end), versions))
      if (!found.has(alias.alias)) found.set(alias.alias, alias);
  return [...found.values()];
}

function stateOf(answered: readonly AnsweredRequest[], versions: readonly StoredVersion[]) {
  return modelState(
    versions.map(version => version.trained),
    answered,
  );
}

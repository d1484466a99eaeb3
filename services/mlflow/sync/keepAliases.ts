import { randomUUID } from 'node:crypto';
import type { VersionRequest } from '../../shared/contracts.ts';
import type { MlflowRegistry, RegisteredModel } from '../client/mlflowRegistry.ts';
import { type AliasView, aliasStep } from '../content/aliasPlan.ts';
import { type AliasName, aliasNames, noVersion, tags } from '../content/names.ts';
import type { AliasRow, MlflowStore } from '../store/mlflowStore.ts';

export interface AliasContext {
  registry: MlflowRegistry;
  store: Pick<MlflowStore, 'selectState' | 'selectAnswer'>;
  /** MLflow's numbers of versions, or null for versions that it does not have. */
  numbers: NumberCache;
  /** Sends a request. It is answered once, however often it is sent. */
  ask(request: VersionRequest): Promise<void>;
  /** Ids of requests that this process has sent, and that are not done with. */
  asked: Set<string>;
}

export type NumberCache = Map<string, string | null>;

/**
 * Brings the aliases of a registered model in step. What a person has moved in MLflow becomes a
 * request, and stands or is set back when that is answered.
 * @param rows the aliases of the model in Driftloop
 */
export async function keepAliases(
  model: string,
  registered: RegisteredModel,
  rows: readonly AliasRow[],
  context: AliasContext,
): Promise<void> {
  for (const alias of aliasNames) {
    const row = rows.find(one => one.alias === alias);
    const wanted = row && (await numberOf(row, registered, context));
    // The version is on its way to MLflow, and so its alias waits for it.
    if (row?.isMade && wanted === null) continue;
    const view = await viewOf(model, alias, { row, wanted }, registered, context);
    await takeStep(model, view, registered, context);
  }
}

/** Returns MLflow's number of the version that an alias names, or null if MLflow has none. */
async function numberOf(
  { model, version }: AliasRow,
  { name }: RegisteredModel,
  { registry, numbers }: AliasContext,
): Promise<string | null> {
  if (version === '') return null;
  const key = JSON.stringify([model, version]);
  const known = numbers.get(key);
  if (known !== undefined) return known;
  const found = await registry.findVersion(name, tags.version, version);
  const number = found?.number ?? null;
  numbers.set(key, number);
  return number;
}

async function viewOf(
  model: string,
  alias: AliasName,
  { row, wanted }: { row: AliasRow | undefined; wanted: string | null | undefined },
  { tags: found, aliases }: RegisteredModel,
  { store }: AliasContext,
): Promise<AliasView> {
  const [id, number] = found[tags.request(alias)]?.split(' ') ?? [];
  const request = id === undefined || number === undefined ? null : { id, number };
  const answer = request && (await store.selectAnswer(model, request.id));
  return {
    alias,
    inMlflow: aliases[alias] ?? null,
    written: (found[tags.written(alias)]?.split(' ') ?? []).map(one =>
      one === noVersion ? null : one,
    ),
    wanted,
    request,
    answer: answer && { ...answer, isInForce: (row?.sequence ?? 0) >= answer.sequence },
  };
}

async function takeStep(
  model: string,
  view: AliasView,
  registered: RegisteredModel,
  context: AliasContext,
): Promise<void> {
  const { registry } = context;
  const { name } = registered;
  const { alias } = view;
  const step = aliasStep(view);
  switch (step.kind) {
    case 'nothing':
      return;
    case 'ask': {
      const request = { id: randomUUID(), number: step.number };
      // The tag comes first: a request that is sent twice is answered once, because it keeps its id.
      await registry.setModelTag(name, tags.request(alias), `${request.id} ${request.number}`);
      return ask(model, { ...view, request }, registered, context);
    }
    case 'wait':
      return ask(model, view, registered, context);
    case 'set-back': {
      const text = `${new Date().toISOString()}: ${step.reason}`;
      await registry.setModelTag(name, tags.refused(alias), text);
      return write(step.number, view, registered, context);
    }
    case 'write':
      return write(step.number, view, registered, context);
  }
}

async function ask(
  model: string,
  view: AliasView,
  registered: RegisteredModel,
  context: AliasContext,
): Promise<void> {
  const { id } = view.request!;
  if (context.asked.has(id)) return;
  await context.ask(await requestOf(model, view, registered, context));
  context.asked.add(id);
}

/**
 * Lets an alias name a version. The tag names what it named and what it will name until that is
 * done, so that after a cut in between neither is taken for the wish of a person.
 */
async function write(
  number: string | null,
  { alias, inMlflow, written, request }: AliasView,
  { name }: RegisteredModel,
  { registry, asked }: AliasContext,
): Promise<void> {
  const note = (numbers: readonly (string | null)[]) =>
    registry.setModelTag(name, tags.written(alias), numbers.map(one => one ?? noVersion).join(' '));
  if (inMlflow !== number) {
    if (!written.includes(number)) await note([...written, number]);
    await registry.setAlias(name, alias, number);
  }
  await note([number]);
  if (request === null) return;
  await registry.deleteModelTag(name, tags.request(alias));
  asked.delete(request.id);
}

/**
 * Returns the request that somebody makes by letting `champion` name a version: to go back to a
 * former champion, or else to approve it.
 */
async function requestOf(
  model: string,
  { written, request }: AliasView,
  { name }: RegisteredModel,
  { registry, store }: AliasContext,
): Promise<VersionRequest> {
  const { id, number } = request!;
  const versionOf = async (one: string) =>
    (await registry.version(name, one))?.tags[tags.version] ?? null;
  const version = await versionOf(number);
  const state = version === null ? null : await store.selectState(model, version);
  const before = written.at(-1) ?? null;
  return {
    id,
    model,
    action: state === 'superseded' ? 'rollback' : 'approve',
    // Whatever is not a version of Driftloop's is refused by it, with this name.
    version: version ?? `${number} of MLflow`,
    expectedChampion: before === null ? null : await versionOf(before),
    requestedBy: 'mlflow',
    note: `The alias champion was moved to version ${number} of ${name} in MLflow.`,
    time: Date.now(),
  };
}

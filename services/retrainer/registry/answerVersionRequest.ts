import type { Logger } from 'pino';
import type { RepeatRequest } from '../../shared/artifacts/artifactStore.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import type { VersionRequest } from '../../shared/contracts.ts';
import { artifactMistake } from '../artifacts/artifactMistake.ts';
import type { StoredVersion } from '../store/modelVersionTable.ts';
import type { RetrainerStore } from '../store/store.ts';
import { decideOnVersionRequest, versionOfRequest } from '../versions/decideOnVersionRequest.ts';
import { type AnsweredRequest, modelState } from '../versions/modelState.ts';
import { type PublishTarget, publishChanges, publishPresentState } from './publishChanges.ts';

export interface RegistryContext extends PublishTarget {
  store: Pick<RetrainerStore, 'versions' | 'steps' | 'aliases'>;
  /** Repeats requests to a store of artifacts that is away. Without it, each is made once. */
  repeat?: RepeatRequest;
  log: Logger;
}

/**
 * Answers a request for a change of a version, once, and publishes what it changed.
 *
 * The stored answer decides. It is stored with all its steps in one block before anything is
 * published, and whoever gets the request again, after a crash or a redelivery, publishes what the
 * stored answer says. The requests of a model are in one partition, so they have one order.
 * @param requestedAtMs when the request came to its topic
 * @returns the answer, or null if it had been given before
 */
export async function answerVersionRequest(
  request: VersionRequest,
  requestedAtMs: number,
  { retraining }: Pick<ModelSettings, 'retraining'>,
  context: RegistryContext,
): Promise<AnsweredRequest | null> {
  const { store, log } = context;
  const { model } = request;
  const answered = await store.steps.selectAnswered(model);
  const earlier = answered.find(one => one.request.id === request.id);
  if (earlier) {
    await publishAgain(earlier, answered, context);
    return null;
  }
  const versions = await store.versions.selectVersions(model);
  const trained = versions.map(version => version.trained);
  const state = modelState(trained, answered);
  const name = versionOfRequest(request, state);
  const decision = decideOnVersionRequest(request, state, {
    approval: retraining.approval,
    artifactMistake: await mistakeOf(
      versions.find(({ facts }) => facts.version === name),
      context.repeat,
    ),
  });
  const sequence = state.sequence + 1;
  const answer: AnsweredRequest = {
    sequence,
    request,
    answeredAtMs: requestedAtMs,
    ...decision,
    steps: decision.steps.map(step => ({ ...step, sequence })),
  };
  await store.steps.insert(answer);
  const { accepted, answer: text } = answer;
  const { action, version, requestedBy } = request;
  log.info({ model, action, version, requestedBy, accepted, answer: text }, 'version request');
  await publishChanges([...answered, answer], versions, context);
  return answer;
}

/**
 * Publishes the changes of a request that was answered before. If later requests were answered, all
 * changes have been published, and a version that was published anew as a candidate is set right.
 */
async function publishAgain(
  earlier: AnsweredRequest,
  answered: readonly AnsweredRequest[],
  context: RegistryContext,
): Promise<void> {
  const { model, version } = earlier.request;
  if (answered.at(-1) === earlier)
    await publishChanges(answered, await context.store.versions.selectVersions(model), context);
  else if (version !== null) await publishPresentState(model, new Set([version]), context);
}

async function mistakeOf(
  version: StoredVersion | undefined,
  repeat: RepeatRequest | undefined,
): Promise<string | null> {
  return version ? artifactMistake(version.facts, repeat) : null;
}

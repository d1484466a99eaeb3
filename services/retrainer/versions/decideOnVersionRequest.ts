import type { ModelSettings } from '../../shared/config/settings.ts';
import type { VersionRequest } from '../../shared/contracts.ts';
import { aliasesOf } from './aliases.ts';
import {
  type AnsweredRequest,
  championOf,
  type KnownVersion,
  type ModelState,
  type VersionState,
  type VersionStep,
} from './modelState.ts';

/** Who asks for what comparisons of served versions say. */
export const loopItself = 'driftloop';

/** What a decision depends on beside the states of the versions. */
export interface RequestFacts {
  approval: ModelSettings['retraining']['approval'];
  /** Why the artifact of the version cannot be served, as a sentence, or null. */
  artifactMistake: string | null;
}

type Step = Omit<VersionStep, 'sequence'>;

export interface VersionDecision extends Pick<AnsweredRequest, 'accepted' | 'answer'> {
  steps: Step[];
}

/** Returns the version that a request is about, or null if there is none. */
export function versionOfRequest(request: VersionRequest, state: ModelState): string | null {
  if (request.action === 'adopt') return state.formerChampion;
  if (request.action === 'rollback') return request.version ?? aliasesOf(state).previous;
  return request.version;
}

/**
 * Decides on a request for a change of a version's state. What a request needs and does not find is
 * the reason to refuse it. An accepted request leaves exactly one champion where there was one
 * before, and where it promotes a version.
 */
export function decideOnVersionRequest(
  request: VersionRequest,
  state: ModelState,
  facts: RequestFacts,
): VersionDecision {
  const champion = championOf(state);
  const { expectedChampion } = request;
  if (expectedChampion !== null && expectedChampion !== champion?.version)
    return refused(
      `${servesNow(champion)} now, but version ${expectedChampion} was when this was asked for.`,
    );
  const decision = decide(request, state, facts);
  if (!decision.accepted || state.formerChampion === null) return decision;
  return { ...decision, steps: [adoption(state.formerChampion), ...decision.steps] };
}

function decide(request: VersionRequest, state: ModelState, facts: RequestFacts): VersionDecision {
  const name = versionOfRequest(request, state);
  if (request.action === 'adopt') return adopt(name);
  if (name === null)
    return refused(
      request.action === 'rollback'
        ? 'There is no earlier champion to go back to.'
        : `The request names no version to ${request.action}.`,
    );
  const version = state.versions.get(name);
  if (version === undefined) return refused(`Version ${name} of ${request.model} is not known.`);
  return actions[request.action](version, { request, state, facts });
}

interface Question {
  request: VersionRequest;
  state: ModelState;
  facts: RequestFacts;
}

const actions: Record<
  Exclude<VersionRequest['action'], 'adopt'>,
  (version: KnownVersion, question: Question) => VersionDecision
> = { submit, approve, reject, rollback, retire };

function adopt(formerChampion: string | null): VersionDecision {
  if (formerChampion === null) return refused('There is nothing to take over.');
  return {
    accepted: true,
    answer: `Version ${formerChampion}, the last one that Driftloop 0.1 approved, is the champion.`,
    steps: [],
  };
}

/** A version has passed the gates, or they could not decide. */
function submit(version: KnownVersion, question: Question): VersionDecision {
  const { version: name, state, trained } = version;
  if (state !== 'candidate' || !trained?.isJudged)
    return refused(`Version ${name} is no candidate that the gates have judged; ${isNow(version)}`);
  const twin = rolledBackTwin(version, question.state);
  if (twin) {
    const reason = `It was trained on the same rows as version ${twin}, which was rolled back.`;
    return accepted(`Version ${name} was rejected. ${reason}`, [move(version, 'rejected', reason)]);
  }
  const { approval, artifactMistake } = question.facts;
  if (artifactMistake !== null) return refused(artifactMistake);
  if (trained.verdict === 'inconclusive')
    return serveInShadow(version, question, 'The gates could not decide with the rows there were.');
  if (approval === 'shadow')
    return serveInShadow(
      version,
      question,
      'It has passed the gates, and retraining.approval is shadow.',
    );
  if (approval === 'automatic')
    return promote(
      version,
      question,
      'It has passed the gates, and retraining.approval is automatic.',
    );
  return accepted(`Version ${name} waits for approval.`, [
    move(
      version,
      'waiting_for_approval',
      'It has passed the gates, and a person has to approve it.',
    ),
  ]);
}

function approve(version: KnownVersion, question: Question): VersionDecision {
  const { version: name, state } = version;
  if (state === 'champion') return refused(`Version ${name} is the champion already.`);
  const isByComparison = question.request.requestedBy === loopItself;
  if (isByComparison ? state !== 'shadow' : !isUndecided(version))
    return refused(`Version ${name} does not wait for approval; ${isNow(version)}`);
  const twin = rolledBackTwin(version, question.state);
  if (twin)
    return refused(
      `Version ${name} was trained on the same rows as version ${twin}, which was rolled back.`,
    );
  if (question.facts.artifactMistake !== null) return refused(question.facts.artifactMistake);
  if (isByComparison && question.facts.approval === 'manual')
    return accepted(`Version ${name} was better in shadow, and waits for approval.`, [
      move(version, 'waiting_for_approval', 'It was better in shadow; a person has to approve it.'),
    ]);
  const why = isByComparison
    ? 'It was better in shadow than the champion.'
    : `${question.request.requestedBy} approved it.`;
  return promote(version, question, why);
}

function reject(version: KnownVersion, { request }: Question): VersionDecision {
  const { version: name, state } = version;
  const isByComparison = request.requestedBy === loopItself;
  if (isByComparison ? state !== 'shadow' : !isUndecided(version))
    return refused(`Version ${name} does not wait for approval; ${isNow(version)}`);
  const reason = isByComparison
    ? 'It did not prove better in shadow.'
    : `${request.requestedBy} rejected it.`;
  return accepted(`Version ${name} was rejected.`, [move(version, 'rejected', reason)]);
}

function rollback(target: KnownVersion, { request, state, facts }: Question): VersionDecision {
  const champion = championOf(state);
  if (champion === null) return refused('No version has been promoted yet.');
  const { version: name } = target;
  if (name === champion.version) return refused(`Version ${name} is the champion already.`);
  if (target.state !== 'superseded')
    return refused(
      `Version ${name} cannot be gone back to, because it is no former champion; ${isNow(target)}`,
    );
  if (facts.artifactMistake !== null) return refused(facts.artifactMistake);
  const why = `${request.requestedBy} went back to version ${name}.`;
  // A rollback that went too far is taken back. What is left then has done no harm.
  const left: VersionState = target.rank > champion.rank ? 'superseded' : 'rolled_back';
  return accepted(
    `Version ${name} is the champion again, instead of version ${champion.version}.`,
    [
      ...endedInShadow(target, state, becameChampion(name)),
      move(champion, left, why),
      move(target, 'champion', why),
    ],
  );
}

function retire(version: KnownVersion, { request }: Question): VersionDecision {
  const { version: name, state } = version;
  if (state !== 'superseded' && !isUndecided(version))
    return refused(
      `Version ${name} can only be retired while it is superseded or waits for approval; ${isNow(version)}`,
    );
  const reason = `${request.requestedBy} retired it.`;
  return accepted(`Version ${name} was retired.`, [move(version, 'retired', reason)]);
}

/**
 * Makes a version the champion. The former champion is superseded first, so that whoever follows
 * the last approved record of `model-versions` ends with the new one.
 */
function promote(version: KnownVersion, { state }: Question, why: string): VersionDecision {
  const { version: name } = version;
  const replaced = `Version ${name} became the champion.`;
  const champion = championOf(state);
  const former = champion?.version ?? incumbentOf(version, state);
  const steps: Step[] = [
    ...endedInShadow(version, state, becameChampion(name)),
    ...(former === null
      ? []
      : [
          {
            version: former,
            stateBefore: champion?.state ?? null,
            state: 'superseded' as const,
            reason: replaced,
          },
        ]),
    move(version, 'approved', why),
    { version: name, stateBefore: 'approved', state: 'champion', reason: why },
  ];
  const instead = former === null ? '' : `, instead of version ${former}`;
  return accepted(`Version ${name} is the champion${instead}.`, steps);
}

/** A version takes the one place in shadow, where it is compared with the champion. */
function serveInShadow(version: KnownVersion, { state }: Question, why: string): VersionDecision {
  const { version: name } = version;
  return accepted(`Version ${name} is compared with the champion in shadow.`, [
    ...endedInShadow(version, state, `Version ${name} has taken its place in shadow.`),
    move(version, 'shadow', why),
  ]);
}

/** Ends the comparison of another version, which was with a champion that is none any more. */
function endedInShadow(version: KnownVersion, { versions }: ModelState, why: string): Step[] {
  return [...versions.values()]
    .filter(other => other.state === 'shadow' && other.version !== version.version)
    .map(other => move(other, 'rejected', why));
}

function becameChampion(name: string): string {
  return `Version ${name} became the champion before the comparison in shadow had ended.`;
}

/** Returns whether a person may still approve or reject a version. */
function isUndecided({ state }: KnownVersion): boolean {
  return state === 'shadow' || state === 'waiting_for_approval';
}

/** The version that served before the first promotion, which the retrainer did not make. */
function incumbentOf({ version, trained }: KnownVersion, { versions }: ModelState): string | null {
  const incumbent = trained?.championVersion ?? '';
  return incumbent === '' || incumbent === version || versions.has(incumbent) ? null : incumbent;
}

/** Returns a version that was trained on the same rows and was rolled back, or null. */
function rolledBackTwin({ version, trained }: KnownVersion, state: ModelState): string | null {
  const twin = [...state.versions.values()].find(
    other =>
      other.state === 'rolled_back' &&
      other.version !== version &&
      other.trained?.datasetId === trained?.datasetId,
  );
  return twin?.version ?? null;
}

/** The step that records what Driftloop 0.1 had approved. */
function adoption(version: string): Step {
  return {
    version,
    stateBefore: null,
    state: 'champion',
    reason: 'Driftloop 0.1 approved it last.',
  };
}

function move(
  { version, state: stateBefore }: KnownVersion,
  state: VersionState,
  reason: string,
): Step {
  return { version, stateBefore, state, reason };
}

function accepted(answer: string, steps: Step[]): VersionDecision {
  return { accepted: true, answer, steps };
}

function refused(answer: string): VersionDecision {
  return { accepted: false, answer, steps: [] };
}

function servesNow(champion: KnownVersion | null): string {
  return champion === null
    ? 'No version is the champion'
    : `Version ${champion.version} is the champion`;
}

function isNow({ state }: KnownVersion): string {
  return `it is ${stateText(state)}.`;
}

/** @example stateText('rolled_back') // 'rolled back' */
export function stateText(state: VersionState): string {
  return state.replaceAll('_', ' ');
}

import type { ModelAlias, VersionRequest } from '../../services/shared/contracts.ts';

/** A stored row of version_steps. */
export interface StoredStep {
  model: string;
  sequence: number;
  /** 0 is the answer, and the others are changes of state. */
  step: number;
  request_id: string;
  version: string;
  state_before: string;
  state: string;
}

/** What the tables and the topics say of the life of versions. */
export interface VersionLife {
  /** Requests in the order of their topic. One that was delivered again is there again. */
  requests: readonly Pick<VersionRequest, 'id' | 'model'>[];
  /** In any order. */
  steps: readonly StoredStep[];
  /** Records in the order of their topic. */
  aliases: readonly Pick<ModelAlias, 'id' | 'model' | 'alias' | 'version' | 'sequence'>[];
}

/**
 * Checks by one pass over the requests that each was answered once and in the order of the topic,
 * that each change begins where the one before has ended, that a model has one champion from the
 * first promotion on, and that the alias has named each champion. It shares no code with the
 * services.
 * @returns one line for each violation
 */
export function checkVersionLife({ requests, steps, aliases }: VersionLife): string[] {
  const models = new Set([...requests, ...steps, ...aliases].map(({ model }) => model));
  return [...models].flatMap(model => {
    const of = <T extends { model: string }>(all: readonly T[]) =>
      all.filter(one => one.model === model);
    const inOrder = of(steps).toSorted(
      (one, other) => one.sequence - other.sequence || one.step - other.step,
    );
    const champions = championsOf(model, inOrder);
    return [
      ...answersInOrder(model, of(requests), inOrder),
      ...champions.violations,
      ...aliasesOfChampions(model, of(aliases), champions.bySequence),
    ];
  });
}

function answersInOrder(
  model: string,
  requests: readonly Pick<VersionRequest, 'id'>[],
  steps: readonly StoredStep[],
): string[] {
  const asked = [...new Set(requests.map(({ id }) => id))];
  const answers = steps.filter(({ step }) => step === 0);
  const isSame =
    answers.length === asked.length &&
    answers.every(
      ({ request_id, sequence }, index) => request_id === asked[index] && sequence === index + 1,
    );
  return isSame
    ? []
    : [
        `version_steps: ${model} has the answers ${answers.map(({ sequence, request_id }) => `${sequence} ${request_id}`)} to ${asked}`,
      ];
}

/** Goes through the changes of state, and returns the champion after each request. */
function championsOf(model: string, steps: readonly StoredStep[]) {
  const violations: string[] = [];
  const bySequence = new Map<number, string>();
  const states = new Map<string, string>();
  for (const [sequence, ofRequest] of Map.groupBy(steps, step => step.sequence)) {
    for (const { version, state_before, state } of ofRequest.filter(({ step }) => step > 0)) {
      const before = states.get(version) ?? '';
      // The first change of a version begins with a candidate, or with nothing that is known.
      if (state_before !== before && !(before === '' && state_before === 'candidate'))
        violations.push(
          `version_steps: ${model} ${version} was ${before || 'unknown'}, but ${sequence} says ${state_before}`,
        );
      states.set(version, state);
    }
    const champions = [...states].filter(([, state]) => state === 'champion');
    if (champions.length > 1 || (champions.length === 0 && bySequence.size > 0))
      violations.push(
        `version_steps: ${model} has ${champions.length} champions after request ${sequence}`,
      );
    const champion = champions[0]?.[0];
    if (champion !== undefined && champion !== [...bySequence.values()].at(-1))
      bySequence.set(sequence, champion);
  }
  return { violations, bySequence };
}

/**
 * A crash may publish an alias again, and whoever comes later publishes the present one. But none
 * names a version that was not the champion after that request, and the last one is right.
 */
function aliasesOfChampions(
  model: string,
  aliases: VersionLife['aliases'],
  champions: ReadonlyMap<number, string>,
): string[] {
  const ofChampion = aliases.filter(({ alias }) => alias === 'champion');
  const wrong = ofChampion.filter(({ sequence, version }) => champions.get(sequence) !== version);
  const [last, expected] = [ofChampion.at(-1)?.version, [...champions.values()].at(-1)];
  return [
    ...wrong.map(
      ({ sequence, version }) =>
        `topic model-aliases: the champion of ${model} was ${version} after request ${sequence}, not ${champions.get(sequence)}`,
    ),
    ...(last === expected
      ? []
      : [`topic model-aliases: the champion of ${model} is ${last}, not ${expected}`]),
  ];
}

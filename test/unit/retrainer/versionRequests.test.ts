import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Aliases, aliasesOf } from '../../../services/retrainer/versions/aliases.ts';
import {
  decideOnVersionRequest,
  loopItself,
  type RequestFacts,
} from '../../../services/retrainer/versions/decideOnVersionRequest.ts';
import {
  type AnsweredRequest,
  type ModelState,
  modelState,
  type TrainedVersion,
  type VersionState,
} from '../../../services/retrainer/versions/modelState.ts';
import {
  recordOfStep,
  statusOfState,
  type VersionFacts,
} from '../../../services/retrainer/versions/publishedVersion.ts';
import type { VersionRequest } from '../../../services/shared/contracts.ts';

function trained(version: string, fields: Partial<TrainedVersion> = {}): TrainedVersion {
  return {
    version,
    status: 'candidate',
    isJudged: true,
    championVersion: '1',
    datasetId: `rows of ${version}`,
    verdict: 'promote',
    judgedAtMs: Number(version),
    ...fields,
  };
}

/** A model whose requests are answered one after the other, as the retrainer does. */
class AnsweredModel {
  readonly answered: AnsweredRequest[] = [];
  readonly trained: TrainedVersion[];

  constructor(...versions: TrainedVersion[]) {
    this.trained = versions;
  }

  get state(): ModelState {
    return modelState(this.trained, this.answered);
  }

  get aliases(): Aliases {
    return aliasesOf(this.state);
  }

  /** Returns the state of each version, as text. */
  get states(): Record<string, VersionState> {
    return Object.fromEntries(
      [...this.state.versions.values()].map(({ version, state }) => [version, state]),
    );
  }

  /** @returns the answer, which begins with "refused: " if it was refused */
  ask(
    action: VersionRequest['action'],
    version: string | null = null,
    {
      approval = 'automatic',
      artifactMistake = null,
      expectedChampion = null,
      requestedBy = 'alice',
    }: Partial<RequestFacts & Pick<VersionRequest, 'expectedChampion' | 'requestedBy'>> = {},
  ): string {
    const { state } = this;
    const sequence = state.sequence + 1;
    const request: VersionRequest = {
      id: `request ${sequence}`,
      model: 'churn',
      action,
      version,
      expectedChampion,
      requestedBy,
      note: null,
      time: 0,
    };
    const decision = decideOnVersionRequest(request, state, { approval, artifactMistake });
    const steps = decision.steps.map(step => ({ ...step, sequence }));
    this.answered.push({ ...decision, steps, sequence, request, answeredAtMs: sequence });
    return decision.accepted ? decision.answer : `refused: ${decision.answer}`;
  }
}

const manual = { approval: 'manual' } as const;

describe('decideOnVersionRequest', () => {
  it('promotes a version that has passed the gates, in place of the one that served', () => {
    const model = new AnsweredModel(trained('2'), trained('3', { championVersion: '2' }));
    expect(model.ask('submit', '2')).toBe('Version 2 is the champion, instead of version 1.');
    expect(model.aliases).toEqual({ champion: '2', challenger: null, previous: '1' });
    expect(model.answered[0]!.steps.map(({ version, state }) => `${version} ${state}`)).toEqual([
      '1 superseded',
      '2 approved',
      '2 champion',
    ]);
    model.ask('submit', '3');
    expect(model.states).toEqual({ 1: 'superseded', 2: 'superseded', 3: 'champion' });
    expect(model.aliases).toEqual({ champion: '3', challenger: null, previous: '2' });
  });

  it('lets a version wait for a person where approval is manual', () => {
    const model = new AnsweredModel(trained('2'), trained('3'));
    expect(model.ask('submit', '2', manual)).toBe('Version 2 waits for approval.');
    model.ask('submit', '3', manual);
    expect(model.aliases).toEqual({ champion: null, challenger: '3', previous: null });
    expect(model.ask('reject', '3')).toBe('Version 3 was rejected.');
    expect(model.aliases.challenger).toBe('2');
    expect(model.ask('approve', '2', manual)).toBe(
      'Version 2 is the champion, instead of version 1.',
    );
    expect(model.states).toEqual({ 1: 'superseded', 2: 'champion', 3: 'rejected' });
    expect(model.answered.at(-1)!.steps.at(-1)!.reason).toBe('alice approved it.');
  });

  it('compares a version in shadow where the gates could not decide, or approval is shadow', () => {
    const shadow = { approval: 'shadow' } as const;
    const byComparison = { requestedBy: loopItself };
    const model = new AnsweredModel(
      trained('2'),
      trained('3', { verdict: 'inconclusive' }),
      trained('4'),
      trained('5', { verdict: 'inconclusive' }),
      trained('6', { verdict: 'inconclusive' }),
    );
    model.ask('submit', '2');
    expect(model.ask('submit', '3')).toBe('Version 3 is compared with the champion in shadow.');
    expect(model.aliases.challenger).toBe('3');
    // There is one place in shadow.
    expect(model.ask('submit', '4', shadow)).toMatch(/^Version 4 is compared/);
    expect(model.states).toMatchObject({ 3: 'rejected', 4: 'shadow' });
    expect(model.ask('approve', '4', byComparison)).toBe(
      'Version 4 is the champion, instead of version 2.',
    );
    expect(model.ask('approve', '4', byComparison)).toMatch(/^refused: Version 4 is the champion/);
    model.ask('submit', '5');
    expect(model.ask('approve', '5', { ...byComparison, ...manual })).toBe(
      'Version 5 was better in shadow, and waits for approval.',
    );
    // What waits for a person is no longer decided by a comparison.
    expect(model.ask('reject', '5', byComparison)).toMatch(/^refused: .* does not wait/);
    model.ask('submit', '6');
    expect(model.ask('approve', '5')).toMatch(/^Version 5 is the champion/);
    expect(model.states).toMatchObject({ 5: 'champion', 6: 'rejected' });
    expect(model.aliases).toEqual({ champion: '5', challenger: null, previous: '4' });
  });

  it('goes back step by step, and only to versions that were the champion', () => {
    const model = new AnsweredModel(trained('2'), trained('3'), trained('4'));
    for (const version of ['2', '3', '4']) model.ask('submit', version);
    expect(model.ask('rollback')).toBe('Version 3 is the champion again, instead of version 4.');
    expect(model.aliases).toEqual({ champion: '3', challenger: null, previous: '2' });
    expect(model.ask('rollback', '4')).toBe(
      'refused: Version 4 cannot be gone back to, because it is no former champion; it is rolled back.',
    );
    model.ask('rollback', '1');
    expect(model.states).toEqual({
      1: 'champion',
      2: 'superseded',
      3: 'rolled_back',
      4: 'rolled_back',
    });
    expect(model.ask('rollback')).toBe('refused: There is no earlier champion to go back to.');
    // The way back was one version too long.
    expect(model.ask('rollback', '2')).toMatch(/^Version 2 is the champion again/);
    expect(model.states).toMatchObject({ 1: 'superseded', 2: 'champion' });
    expect(model.aliases.previous).toBe('1');
  });

  it('does not promote a version that was trained on the rows of one that was rolled back', () => {
    const rows = { datasetId: 'same rows' };
    const model = new AnsweredModel(
      trained('2', rows),
      trained('3', rows),
      trained('4', rows),
      trained('5'),
    );
    model.ask('submit', '2');
    model.ask('submit', '3', manual);
    model.ask('rollback');
    expect(model.ask('approve', '3', manual)).toBe(
      'refused: Version 3 was trained on the same rows as version 2, which was rolled back.',
    );
    expect(model.ask('submit', '4')).toBe(
      'Version 4 was rejected. It was trained on the same rows as version 2, which was rolled back.',
    );
    expect(model.ask('submit', '5')).toBe('Version 5 is the champion, instead of version 1.');
  });

  it.each([
    ['approve', '9', 'Version 9 of churn is not known.'],
    ['approve', null, 'The request names no version to approve.'],
    ['approve', '3', 'Version 3 is the champion already.'],
    ['approve', '2', 'Version 2 does not wait for approval; it is superseded.'],
    ['approve', '4', 'Version 4 does not wait for approval; it is rejected.'],
    ['approve', '5', 'Version 5 does not wait for approval; it is candidate.'],
    ['reject', '3', 'Version 3 does not wait for approval; it is champion.'],
    ['rollback', '3', 'Version 3 is the champion already.'],
    [
      'rollback',
      '5',
      'Version 5 cannot be gone back to, because it is no former champion; it is candidate.',
    ],
    [
      'retire',
      '3',
      'Version 3 can only be retired while it is superseded or waits for approval; it is champion.',
    ],
    ['submit', '5', 'Version 5 is no candidate that the gates have judged; it is candidate.'],
    ['adopt', null, 'There is nothing to take over.'],
  ] as const)('refuses to %s version %s', (action, version, answer) => {
    const model = new AnsweredModel(
      trained('2'),
      trained('3'),
      trained('4', { status: 'rejected' }),
      trained('5', { isJudged: false }),
    );
    model.ask('submit', '2');
    model.ask('submit', '3');
    const before = model.states;
    expect(model.ask(action, version)).toBe(`refused: ${answer}`);
    expect(model.states).toEqual(before);
  });

  it('refuses a version whose artifact cannot be served', () => {
    const model = new AnsweredModel(trained('2'), trained('3'));
    model.ask('submit', '2');
    model.ask('submit', '3', manual);
    const artifactMistake = 'The artifact is gone.';
    expect(model.ask('approve', '3', { artifactMistake })).toBe('refused: The artifact is gone.');
    expect(model.ask('rollback', null, { artifactMistake })).toBe('refused: The artifact is gone.');
    expect(model.aliases).toEqual({ champion: '2', challenger: '3', previous: '1' });
  });

  it('refuses what was asked for when another version was the champion', () => {
    const model = new AnsweredModel(trained('2'), trained('3'));
    model.ask('submit', '2');
    model.ask('submit', '3');
    expect(model.ask('rollback', null, { expectedChampion: '2' })).toBe(
      'refused: Version 3 is the champion now, but version 2 was when this was asked for.',
    );
    expect(model.aliases.champion).toBe('3');
  });

  it('takes over the last version that Driftloop 0.1 approved', () => {
    const approved = { status: 'approved' } as const;
    const former = () => [trained('2', approved), trained('3', approved)];
    const adopted = new AnsweredModel(...former());
    expect(adopted.ask('adopt')).toBe(
      'Version 3, the last one that Driftloop 0.1 approved, is the champion.',
    );
    expect(adopted.aliases).toEqual({ champion: '3', challenger: null, previous: '2' });
    expect(adopted.ask('adopt')).toBe('refused: There is nothing to take over.');

    const superseded = new AnsweredModel(...former(), trained('4'));
    expect(superseded.ask('submit', '4')).toBe('Version 4 is the champion, instead of version 3.');
    expect(superseded.aliases).toEqual({ champion: '4', challenger: null, previous: '3' });
    expect(superseded.ask('rollback')).toBe(
      'Version 3 is the champion again, instead of version 4.',
    );
    expect(superseded.aliases.previous).toBe('2');
  });

  it('leaves exactly one champion after every order of requests, and tells it to all who follow', () => {
    const versions = ['1', '2', '3', '4', '5', '6'];
    const request = fc.record({
      action: fc.constantFrom(
        ...(['submit', 'adopt', 'approve', 'reject', 'rollback', 'retire'] as const),
      ),
      version: fc.option(fc.constantFrom(...versions)),
      approval: fc.constantFrom('automatic', 'shadow', 'manual'),
      requestedBy: fc.constantFrom('alice', loopItself),
      expectedChampion: fc.option(fc.constantFrom(...versions), { freq: 4 }),
      artifactMistake: fc.option(fc.constant('It is gone.'), { freq: 5 }),
    });
    const statuses = fc.array(fc.constantFrom('candidate', 'approved', 'rejected'), {
      minLength: 5,
      maxLength: 5,
    });
    fc.assert(
      fc.property(statuses, fc.array(request, { maxLength: 40 }), (ofVersions, requests) => {
        const all = ofVersions.map((status, index) =>
          trained(String(index + 2), {
            status,
            datasetId: `rows ${index % 3}`,
            verdict: index % 2 ? 'promote' : 'inconclusive',
          }),
        );
        const model = new AnsweredModel(...all);
        const follower = new Follower(model.aliases.champion);
        let hadChampion = model.aliases.champion !== null;
        for (const { action, version, ...facts } of requests) {
          const before = model.states;
          model.ask(action, version, facts as Parameters<typeof model.ask>[2]);
          const { accepted, steps } = model.answered.at(-1)!;
          if (!accepted) expect(model.states).toEqual(before);
          const champions = Object.values(model.states).filter(state => state === 'champion');
          hadChampion ||= steps.some(({ state }) => state === 'champion');
          expect(champions).toHaveLength(hadChampion ? 1 : 0);
          follower.read(model.answered.at(-1)!);
          const { champion, previous } = model.aliases;
          // Version 1 was not made by the retrainer, so it has no record.
          if (champion !== null && champion !== '1') expect(follower.served).toBe(champion);
          const inShadow = Object.values(model.states).filter(state => state === 'shadow');
          expect(inShadow.length).toBeLessThanOrEqual(1);
          if (previous !== null) expect(model.states[previous]).toBe('superseded');
        }
        // The state follows from what is stored alone.
        expect(modelState(all.toReversed(), structuredClone(model.answered)).versions).toEqual(
          new Map([...model.state.versions].toReversed()),
        );
      }),
      { numRuns: 300 },
    );
  });
});

/** Serves the version of the last approved record of model-versions, as scorers of 0.1 do. */
class Follower {
  served: string | null;

  constructor(served: string | null) {
    this.served = served;
  }

  read(answered: AnsweredRequest): void {
    for (const step of answered.steps) {
      if (step.version === '1') continue;
      const record = recordOfStep({ version: step.version } as VersionFacts, step, answered);
      expect(record.status).toBe(statusOfState[step.state]);
      if (record.status === 'approved') this.served = record.version;
    }
  }
}

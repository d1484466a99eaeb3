import { describe, expect, it } from 'vitest';
import { checkVersionLife, type StoredStep, type VersionLife } from '../../chaos/versionLife.ts';

const model = 'm';
const answer = (sequence: number, request_id: string): StoredStep => ({
  ...{ model, sequence, step: 0, request_id, version: '', state_before: '', state: '' },
});
const change = (sequence: number, step: number, text: string): StoredStep => {
  const [version, state_before, state] = text.split(' ') as [string, string, string];
  return { model, sequence, step, request_id: '', version, state_before, state };
};
const alias = (sequence: number, version: string) => ({
  ...{ id: `alias ${sequence}`, model, alias: 'champion' as const, version, sequence },
});

/** Version 2 is promoted, and somebody goes back to version 1; the second request came twice. */
const life: VersionLife = {
  requests: ['submit', 'back', 'back'].map(id => ({ id, model })),
  steps: [
    answer(1, 'submit'),
    change(1, 1, '1 candidate superseded'),
    change(1, 2, '2 candidate approved'),
    change(1, 3, '2 approved champion'),
    answer(2, 'back'),
    change(2, 1, '2 champion rolled_back'),
    change(2, 2, '1 superseded champion'),
  ],
  aliases: [alias(1, '2'), alias(1, '2'), alias(2, '1')],
};
const without = (index: number) => ({ ...life, steps: life.steps.toSpliced(index, 1) });

describe('checkVersionLife', () => {
  it('finds nothing where each request led to one change', () => {
    expect(checkVersionLife(life)).toEqual([]);
    expect(checkVersionLife({ ...life, steps: life.steps.toReversed() })).toEqual([]);
  });

  it.each<[string, VersionLife, RegExp]>([
    ['an answer is lost', without(4), /has the answers 1 submit to submit,back/],
    [
      'requests were answered in another order',
      { ...life, requests: life.requests.toReversed() },
      /has the answers/,
    ],
    ['a change is lost', without(3), /2 was approved, but 2 says champion/],
    ['a champion stays beside the next one', without(5), /has 2 champions after request 2/],
    ['the last champion is lost', without(6), /has 0 champions after request 2/],
    [
      'an alias names another version',
      { ...life, aliases: [alias(1, '3'), alias(2, '1')] },
      /was 3 after request 1, not 2/,
    ],
    [
      'an old alias is the last',
      { ...life, aliases: [alias(2, '1'), alias(1, '2')] },
      /the champion of m is 2, not 1/,
    ],
  ])('notices that %s', (_, wrong, expected) => {
    expect(checkVersionLife(wrong).join('\n')).toMatch(expected);
  });
});

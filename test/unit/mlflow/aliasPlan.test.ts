import { describe, expect, it } from 'vitest';
import { type AliasView, aliasStep } from '../../../services/mlflow/content/aliasPlan.ts';

/** An alias that is in step. */
const inStep: AliasView = {
  alias: 'champion',
  inMlflow: '3',
  written: ['3'],
  wanted: '3',
  request: null,
  answer: null,
};
const request = { id: 'r', number: '2' };
const accepted = { accepted: true, reason: 'It is the champion.', isInForce: true };

describe('an alias', () => {
  it('that is in step is left alone', () => {
    expect(aliasStep(inStep)).toEqual({ kind: 'nothing' });
  });

  it('follows Driftloop', () => {
    expect(aliasStep({ ...inStep, wanted: '4' })).toEqual({ kind: 'write', number: '4' });
    expect(aliasStep({ ...inStep, wanted: null })).toEqual({ kind: 'write', number: null });
  });

  it.each(['3', '4'])('whose move was cut off is moved again, from %s', inMlflow => {
    const view = { ...inStep, inMlflow, written: ['3', '4'] };
    expect(aliasStep({ ...view, wanted: '4' })).toEqual({ kind: 'write', number: '4' });
    // Meanwhile it names another one.
    expect(aliasStep({ ...view, wanted: '5' })).toEqual({ kind: 'write', number: '5' });
    expect(aliasStep({ ...view, wanted: null })).toEqual({ kind: 'write', number: null });
  });

  it('that was there before Driftloop stays until Driftloop has a version for it', () => {
    const before = { ...inStep, inMlflow: '7', written: [], wanted: undefined };
    expect(aliasStep(before)).toEqual({ kind: 'write', number: '7' });
    expect(aliasStep({ ...before, written: ['7'] })).toEqual({ kind: 'nothing' });
    expect(aliasStep({ ...before, written: ['7'], wanted: '8' })).toEqual({
      kind: 'write',
      number: '8',
    });
  });

  it('that a person moved becomes a request, and stands when that is accepted', () => {
    const moved = { ...inStep, inMlflow: '2' };
    expect(aliasStep(moved)).toEqual({ kind: 'ask', number: '2' });
    expect(aliasStep({ ...moved, request })).toEqual({ kind: 'wait' });
    const published = { ...accepted, isInForce: false };
    expect(aliasStep({ ...moved, request, answer: published })).toEqual({ kind: 'wait' });
    expect(aliasStep({ ...moved, request, answer: accepted, wanted: '2' })).toEqual({
      kind: 'write',
      number: '2',
    });
    // Another champion came right after it.
    expect(aliasStep({ ...moved, request, answer: accepted, wanted: '5' })).toEqual({
      kind: 'write',
      number: '5',
    });
  });

  it('becomes a request also where no version was promoted yet', () => {
    const first = { ...inStep, inMlflow: '2', written: [null], wanted: undefined };
    expect(aliasStep(first)).toEqual({ kind: 'ask', number: '2' });
    const refused = { accepted: false, reason: 'It is rejected.', isInForce: false };
    expect(aliasStep({ ...first, request, answer: refused })).toEqual({
      kind: 'set-back',
      number: null,
      reason: 'It is rejected.',
    });
  });

  it('is set back with the reason when the request is refused', () => {
    const answer = { accepted: false, reason: 'It is rejected.', isInForce: false };
    expect(aliasStep({ ...inStep, inMlflow: '2', request, answer })).toEqual({
      kind: 'set-back',
      number: '3',
      reason: 'It is rejected.',
    });
  });

  it('that is moved on becomes another request', () => {
    expect(aliasStep({ ...inStep, inMlflow: '1', request, answer: accepted })).toEqual({
      kind: 'ask',
      number: '1',
    });
  });

  it('that a person moves back needs no answer', () => {
    expect(aliasStep({ ...inStep, request })).toEqual({ kind: 'write', number: '3' });
  });

  it.each([
    ['champion', null, /^A model without a champion cannot be asked for/],
    ['challenger', '2', /^The alias challenger follows/],
    ['previous', null, /^The alias previous follows/],
  ] as const)('%s cannot be moved to %s', (alias, inMlflow, reason) => {
    expect(aliasStep({ ...inStep, alias, inMlflow })).toEqual({
      kind: 'set-back',
      number: '3',
      reason: expect.stringMatching(reason),
    });
  });
});

import { describe, expect, it } from 'vitest';
import { variableView } from '../../../bin/report/variableView.ts';
import { profileOf } from '../shared/profile/profileOf.ts';

const numbers = (from: number) => Array.from({ length: 200 }, (_, index) => from + index);
const viewOf = (kind: 'feature' | 'output', reference: Parameters<typeof profileOf>[0]) =>
  variableView(
    { kind, name: 'x' },
    profileOf(reference),
    [{ startMs: 0, profile: profileOf(reference) }],
    startMs => startMs,
  );

describe('the view of a variable', () => {
  it('shows numbers that are written as text as numbers', () => {
    const written = viewOf('feature', numbers(1).map(String));
    expect(written).toEqual(viewOf('feature', numbers(1)));
    expect(written.type).toBe('numeric');
    expect(viewOf('output', numbers(1).map(String)).type).toBe('categorical');
  });

  it('shows vectors by their norms', () => {
    const vectors = viewOf(
      'feature',
      numbers(1).map(number => [number, 0]),
    );
    expect(vectors).toEqual(viewOf('feature', numbers(1)));
  });

  it('shows names, and texts that move, as they were logged', () => {
    expect(viewOf('feature', ['a', 'b', 'a']).labels.slice(0, 2)).toEqual(['a', 'b']);
    expect(viewOf('feature', ['2026-03-02', '2026-03-02']).labels[0]).toBe('2026-03-02');
  });
});

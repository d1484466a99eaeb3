import { describe, expect, it } from 'vitest';
import { maturedUntilMs } from '../../../services/retrainer/dataset/maturedUntil.ts';

const coverage = (...shares: number[]) =>
  shares.map((share, index) => ({
    endMs: (index + 1) * 1000,
    predictions: 100,
    labelled: share * 100,
  }));

describe('maturedUntilMs', () => {
  it('ends where labels are no longer complete', () => {
    expect(maturedUntilMs(coverage(1, 1, 1, 0.5, 0.1))).toBe(3000);
    expect(maturedUntilMs(coverage(1, 1, 1, 0.9, 0))).toBe(4000);
  });

  it('treats the usual share of labels as complete if only a sample is ever labelled', () => {
    expect(maturedUntilMs(coverage(0.1, 0.12, 0.1, 0.11, 0.02))).toBe(4000);
  });

  it('continues after a gap', () => {
    expect(maturedUntilMs(coverage(1, 0.2, 1, 1))).toBe(4000);
  });

  it('is 0 without labels', () => {
    expect(maturedUntilMs(coverage(0, 0))).toBe(0);
    expect(maturedUntilMs([])).toBe(0);
  });
});

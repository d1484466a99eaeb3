import { describe, expect, it } from 'vitest';
import {
  combinedWatermarkMs,
  nothingRead,
  withWatermark,
} from '../../../services/detector/judging/windowReadiness.ts';

const idleMs = 1000;

describe('combinedWatermarkMs', () => {
  const both = withWatermark(withWatermark(nothingRead, 0, 500, 0), 1, 300, 0);

  it('waits for the slowest partition', () => {
    expect(combinedWatermarkMs(both, 10, idleMs)).toBe(300);
  });

  it('no longer waits for one that is idle', () => {
    const later = withWatermark(both, 0, 700, 900);
    expect(combinedWatermarkMs(later, 999, idleMs)).toBe(300);
    expect(combinedWatermarkMs(later, 1000, idleMs)).toBe(700);
  });

  it('is that of the furthest partition when all are idle', () => {
    expect(combinedWatermarkMs(both, 5000, idleMs)).toBe(500);
  });

  it('never goes back', () => {
    expect(combinedWatermarkMs(withWatermark(both, 1, 100, 20), 20, idleMs)).toBe(300);
  });

  it('is the end of time when the stream has ended, and before time when nothing was read', () => {
    expect(combinedWatermarkMs({ ...both, ended: true }, 10, idleMs)).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(combinedWatermarkMs(nothingRead, 10, idleMs)).toBe(Number.NEGATIVE_INFINITY);
  });
});

import { describe, expect, it } from 'vitest';
import {
  combinedWatermarkMs,
  nothingRead,
  withWatermark,
} from '../../../services/detector/judging/windowReadiness.ts';

const idleMs = 1000;

describe('combinedWatermarkMs', () => {
  const both = withWatermark(withWatermark(nothingRead, 0, 500, 0), 1, 300, 0);

  it('is the watermark of the slowest partition', () => {
    expect(combinedWatermarkMs(both, 10, idleMs)).toBe(300);
  });

  it('leaves out a partition that is idle', () => {
    const later = withWatermark(both, 0, 700, 900);
    expect(combinedWatermarkMs(later, 999, idleMs)).toBe(300);
    expect(combinedWatermarkMs(later, 1000, idleMs)).toBe(700);
  });

  it('is the highest watermark when all partitions are idle', () => {
    expect(combinedWatermarkMs(both, 5000, idleMs)).toBe(500);
  });

  it('never falls', () => {
    expect(combinedWatermarkMs(withWatermark(both, 1, 100, 20), 20, idleMs)).toBe(300);
  });

  it('is Infinity when the stream has ended, and -Infinity when nothing was read', () => {
    expect(combinedWatermarkMs({ ...both, ended: true }, 10, idleMs)).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(combinedWatermarkMs(nothingRead, 10, idleMs)).toBe(Number.NEGATIVE_INFINITY);
  });
});

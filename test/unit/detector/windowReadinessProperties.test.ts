import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  combinedWatermarkMs,
  nothingRead,
  withWatermark,
} from '../../../services/detector/judging/windowReadiness.ts';

const idleMs = 1000;
const news = fc.array(
  fc.record({ partition: fc.nat(4), watermarkMs: fc.integer(), afterMs: fc.nat(600) }),
  {
    minLength: 1,
    maxLength: 40,
  },
);

describe('the combined watermark', () => {
  it('is the lowest of the active partitions or else the highest of all, and never falls after an old watermark', () => {
    fc.assert(
      fc.property(news, fc.nat(3000), (heard, laterMs) => {
        let readiness = nothingRead;
        let nowMs = 0;
        const highest = new Map<number, number>();
        const heardAt = new Map<number, number>();
        for (const { partition, watermarkMs, afterMs } of heard) {
          nowMs += afterMs;
          const before =
            readiness.partitions.get(partition)?.watermarkMs ?? Number.NEGATIVE_INFINITY;
          readiness = withWatermark(readiness, partition, watermarkMs, nowMs);
          expect(readiness.partitions.get(partition)!.watermarkMs).toBeGreaterThanOrEqual(before);
          highest.set(
            partition,
            Math.max(watermarkMs, highest.get(partition) ?? Number.NEGATIVE_INFINITY),
          );
          heardAt.set(partition, nowMs);
        }
        nowMs += laterMs;
        const active = [...highest].filter(
          ([partition]) => nowMs - heardAt.get(partition)! < idleMs,
        );
        const watermarks = (active.length > 0 ? active : [...highest]).map(
          ([, watermarkMs]) => watermarkMs,
        );
        const expected = active.length > 0 ? Math.min(...watermarks) : Math.max(...watermarks);
        expect(combinedWatermarkMs(readiness, nowMs, idleMs)).toBe(expected);
        expect(combinedWatermarkMs({ ...readiness, ended: true }, nowMs, idleMs)).toBe(
          Number.POSITIVE_INFINITY,
        );
      }),
    );
  });

  it('does not depend on the order in which partitions are announced', () => {
    const apart = fc.uniqueArray(fc.record({ partition: fc.nat(9), watermarkMs: fc.integer() }), {
      minLength: 1,
      selector: ({ partition }) => partition,
    });
    fc.assert(
      fc.property(apart, partitions => {
        const all = (order: typeof partitions) =>
          order.reduce(
            (read, { partition, watermarkMs }) => withWatermark(read, partition, watermarkMs, 0),
            nothingRead,
          );
        const forwards = combinedWatermarkMs(all(partitions), 0, idleMs);
        expect(combinedWatermarkMs(all(partitions.toReversed()), 0, idleMs)).toBe(forwards);
      }),
    );
  });
});

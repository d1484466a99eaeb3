import fc from 'fast-check';
import { expect, it } from 'vitest';
import { queryPortions } from '../../../services/shared/clickhouse/queryPortions.ts';
import { text } from './contractArbitrary.ts';

it('keeps every item once and in order, in portions that each fit a parameter of ClickHouse', () => {
  const many = fc.oneof(
    fc.array(text, { maxLength: 300 }),
    fc
      .tuple(text, fc.integer({ min: 1, max: 30_000 }))
      .map(([item, count]) => new Array<string>(count).fill(item)),
  );
  fc.assert(
    fc.property(many, items => {
      const portions = [...queryPortions(items, item => item)];
      expect(portions.flat()).toEqual(items);
      for (const portion of portions) {
        expect(portion.length).toBeGreaterThan(0);
        expect(portion.length).toBeLessThanOrEqual(10_000);
        expect(Buffer.byteLength(portion.join("','"))).toBeLessThan(256 * 1024);
      }
    }),
    { numRuns: 50 },
  );
});

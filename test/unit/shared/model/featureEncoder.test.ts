import { describe, expect, it } from 'vitest';
import {
  encodeRows,
  type FeatureRow,
  fitEncoder,
  maxLevels,
} from '../../../../services/shared/model/featureEncoder.ts';

function encodedRow(rows: FeatureRow[], names: string[], row: FeatureRow): number[] {
  return Array.from(encodeRows(fitEncoder(rows, names), [row]));
}

describe('fitEncoder and encodeRows', () => {
  it('standardises numbers and clips extreme ones at ten deviations', () => {
    const rows = [{ price: 1 }, { price: 3 }];
    expect(encodedRow(rows, ['price'], { price: 3 })).toEqual([1]);
    expect(encodedRow(rows, ['price'], { price: 2 })).toEqual([0]);
    expect(encodedRow(rows, ['price'], { price: -1e300 })).toEqual([-10]);
  });

  it('has an indicator for missing values only if rows without the feature were seen', () => {
    const rows = [
      { price: 1 },
      { price: 3 },
      { price: null },
      {},
      { price: Number.NaN },
      { price: 'text' },
    ];
    expect(fitEncoder(rows, ['price']).width).toBe(2);
    for (const value of [null, undefined, Number.NaN, 'text', true])
      expect(encodedRow(rows, ['price'], { price: value })).toEqual([0, 1]);
    expect(encodedRow(rows, ['price'], { price: 3 })).toEqual([1, 0]);
    expect(encodedRow([{ price: 1 }, { price: 3 }], ['price'], { price: null })).toEqual([0]);
  });

  it('gives each level a column, and none to a level never seen', () => {
    const rows = [{ city: 'Rome' }, { city: 'Oslo' }, { city: null }];
    expect(encodedRow(rows, ['city'], { city: 'Oslo' })).toEqual([1, 0, 0]);
    expect(encodedRow(rows, ['city'], { city: 'Rome' })).toEqual([0, 1, 0]);
    expect(encodedRow(rows, ['city'], { city: 'Bonn' })).toEqual([0, 0, 0]);
    expect(encodedRow(rows, ['city'], {})).toEqual([0, 0, 1]);
  });

  it('encodes a boolean like its text, which is what ClickHouse stores', () => {
    const rows = [{ open: true }, { open: false }];
    expect(encodedRow(rows, ['open'], { open: 'true' })).toEqual(
      encodedRow(rows, ['open'], { open: true }),
    );
  });

  it('hashes a feature with too many levels, so that most values still differ, also unseen ones', () => {
    const rows = Array.from({ length: 10_000 }, (_, index) => ({ id: `user ${index}` }));
    const encoder = fitEncoder(rows, ['id']);
    expect(encoder.width).toBe(64);
    const patterns = new Set(rows.slice(0, 500).map(row => encodeRows(encoder, [row]).join('')));
    expect(patterns.size).toBeGreaterThan(400);
    expect(
      encodeRows(encoder, [{ id: 'nobody' }]).reduce((sum, bit) => sum + bit, 0),
    ).toBeGreaterThan(0);
  });

  it('gives up to the maximum of levels a column each, and hashes one more', () => {
    const rows = Array.from({ length: maxLevels }, (_, index) => ({ level: `level ${index}` }));
    expect(fitEncoder(rows, ['level']).features[0]!.kind).toBe('levels');
    expect(fitEncoder([...rows, { level: 'one more' }], ['level']).features[0]!.kind).toBe(
      'hashed',
    );
  });

  it('encodes numbers that are written as text as numbers', () => {
    const rows = Array.from({ length: 200 }, (_, index) => ({ age: String(index) }));
    const encoder = fitEncoder([...rows, { age: 'N/A' }], ['age']);
    expect(encoder.features).toMatchObject([{ kind: 'numeric', written: true, missing: true }]);
    const [low, , high, , none, missing] = encodeRows(encoder, [
      { age: '0' },
      { age: '199' },
      { age: 'N/A' },
    ]);
    expect(low).toBeCloseTo(-high!);
    expect([none, missing]).toEqual([0, 1]);
    expect(encodeRows(encoder, [{ age: 199 }])[0]).toBe(high);
  });

  it('encodes texts with decimal commas as numbers, unless the commas may separate thousands', () => {
    const prices = Array.from({ length: 200 }, (_, index) => ({
      price: (1000 + index / 4).toLocaleString('de'),
    }));
    const encoder = fitEncoder([...prices, { price: 'N/A' }], ['price']);
    expect(encoder.features).toMatchObject([{ kind: 'numeric', written: 'commas' }]);
    const [low, , high, , none, missing] = encodeRows(encoder, [
      { price: '1.000' },
      { price: '1.049,75' },
      { price: '3.14' },
    ]);
    expect(low).toBeCloseTo(-high!);
    expect([none, missing]).toEqual([0, 1]);
    const thousands = prices.map((_, index) => ({ price: (1000 + index).toLocaleString('en') }));
    expect(fitEncoder(thousands, ['price']).features).toMatchObject([{ kind: 'hashed' }]);
  });

  it('stays finite for numbers whose squares overflow', () => {
    const rows = [{ mass: 1e300 }, { mass: -1e300 }, { mass: 1 }];
    expect(encodedRow(rows, ['mass'], { mass: 1e308 }).every(Number.isFinite)).toBe(true);
  });

  it('encodes the same after it was stored as JSON', () => {
    const rows = [{ price: 1.1, city: 'Rome' }, { price: 3.7, city: null }, { city: 'Oslo' }];
    const encoder = fitEncoder(rows, ['price', 'city']);
    expect(encodeRows(JSON.parse(JSON.stringify(encoder)), rows)).toEqual(
      encodeRows(encoder, rows),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addPairCounts,
  correlation,
  type FeaturePair,
  freezePairs,
  maxPairs,
  pairCounts,
  sumsOfPair,
} from '../../../services/detector/blocks/featurePairs.ts';
import { missingCode, type SampledRecords } from '../../../services/shared/profile/recordSample.ts';
import { randomness } from './syntheticStream.ts';

function sampleOf(names: string[], rows: (number | null)[][]): SampledRecords {
  return {
    names,
    hashes: rows.map((_, row) => row),
    codes: rows.flat().map(code => code ?? missingCode),
    outputs: rows.map(() => missingCode),
  };
}

const namesOf = (pairs: readonly FeaturePair[]) => pairs.map(({ names }) => names.join());

function sumsOver(pairs: readonly FeaturePair[], samples: readonly SampledRecords[]): Float64Array {
  const counts = samples.map(sample => pairCounts(pairs, sample));
  const sums = new Float64Array(counts[0]!.length);
  for (const ofBlock of counts) addPairCounts(sums, ofBlock);
  return sums;
}

describe('pairs of features', () => {
  it('have the sums of a plain pass over the records with both features', () => {
    const pair: FeaturePair = {
      key: 'pair/["a","b"]',
      names: ['a', 'b'],
      grades: [
        { name: 'a', lowCut: -3, highCut: 3 },
        { name: 'b', lowCut: 0, highCut: 5 },
      ],
    };
    const code = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(null));
    const block = fc.array(fc.tuple(code, code), { maxLength: 64 });
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), blocks => {
        const grade = (value: number, low: number, high: number) =>
          value < low ? -1 : value < high ? 0 : 1;
        const expected = {
          records: 0,
          first: 0,
          second: 0,
          firstSquares: 0,
          secondSquares: 0,
          products: 0,
        };
        for (const rows of blocks) {
          const both = rows.flatMap(([a, b]) =>
            a === null || b === null ? [] : [[grade(a, -3, 3), grade(b, 0, 5)]],
          );
          const mean = (column: number) =>
            both.reduce((sum, row) => sum + row[column]!, 0) / both.length;
          const [meanA, meanB] = [mean(0), mean(1)];
          for (const [a, b] of both as [number, number][]) {
            expected.records += 1;
            expected.first += a;
            expected.second += b;
            expected.firstSquares += (a - meanA) ** 2;
            expected.secondSquares += (b - meanB) ** 2;
            expected.products += (a - meanA) * (b - meanB);
          }
        }
        const sums = sumsOfPair(
          sumsOver(
            [pair],
            blocks.map(rows => sampleOf(['a', 'b'], rows)),
          ),
          0,
        );
        for (const [name, value] of Object.entries(expected))
          expect(sums[name as keyof typeof sums]).toBeCloseTo(value, 9);
      }),
    );
  });

  it('have grades that divide each feature near its thirds, and leave out features that hardly vary', () => {
    const { uniform } = randomness(1);
    const names = ['binary', 'constant', 'even', 'mostly', 'nearly'];
    const rows = Array.from({ length: 600 }, (_, row) => [
      row % 2,
      7,
      Math.floor(uniform() * 1e6),
      row % 10 === 0 ? 5 : 0,
      row % 100 === 0 ? 1 : 0,
    ]);
    const pairs = freezePairs([sampleOf(names, rows)]);
    expect(namesOf(pairs)).toEqual(['binary,even', 'even,mostly', 'binary,mostly']);
    const [binary, even] = pairs[0]!.grades;
    expect(binary).toEqual({ name: 'binary', lowCut: 1, highCut: 1 });
    expect(even.lowCut / 1e6).toBeCloseTo(1 / 3, 1);
    expect(even.highCut / 1e6).toBeCloseTo(2 / 3, 1);
    expect(pairs[1]!.grades[1]).toEqual({ name: 'mostly', lowCut: 5, highCut: 5 });
  });

  it('leave out features that are not watched', () => {
    const rows = Array.from({ length: 60 }, (_, row) => [row, -row, row % 7]);
    const pairs = freezePairs([sampleOf(['a', 'id', 'z'], rows)], name => name !== 'id');
    expect(namesOf(pairs)).toEqual(['a,z']);
  });

  it('are chosen in the order of their correlation if there are too many', () => {
    const { normal } = randomness(2);
    const names = Array.from({ length: 12 }, (_, index) => `f${10 + index}`);
    const samples = Array.from({ length: 10 }, () => {
      const rows = Array.from({ length: 64 }, () => {
        const values = names.map(() => normal());
        values[11] = values[0]! + 0.3 * normal();
        values[7] = values[1]! + 0.7 * normal();
        return values.map(value => Math.round(value * 1e6));
      });
      return sampleOf(names, rows);
    });
    const found = namesOf(freezePairs(samples));
    expect(found).toHaveLength(maxPairs);
    expect(found.slice(0, 4)).toEqual(['f10,f21', 'f11,f17', 'f10,f11', 'f11,f12']);
  });

  it('are correlated within blocks, without what all records of a block have in common', () => {
    const { normal } = randomness(3);
    const samples = Array.from({ length: 40 }, (_, block) =>
      sampleOf(
        ['a', 'b'],
        Array.from({ length: 64 }, () =>
          [1, 1].map(() => Math.round(1e6 * (3 * Math.sin(block) + normal()))),
        ),
      ),
    );
    const pairs = freezePairs(samples);
    expect(Math.abs(correlation(sumsOfPair(sumsOver(pairs, samples), 0))!)).toBeLessThan(0.06);
    const pooled = sampleOf(['a', 'b'], [samples.flatMap(({ codes }) => codes)].flatMap(pairsOf));
    const few = { ...pooled, hashes: pooled.hashes.filter((_, row) => row % 25 === 0) };
    const codes = few.hashes.flatMap(row => pooled.codes.slice(2 * row, 2 * row + 2));
    expect(correlation(sumsOfPair(sumsOver(pairs, [{ ...few, codes }]), 0))).toBeGreaterThan(0.5);
  });
});

function pairsOf(codes: number[]): number[][] {
  return Array.from({ length: codes.length / 2 }, (_, row) => codes.slice(2 * row, 2 * row + 2));
}

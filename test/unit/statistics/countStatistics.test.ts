import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquared } from '../../../services/shared/statistics/chiSquared.ts';
import { chiSquaredSurvival } from '../../../services/shared/statistics/chiSquaredSurvival.ts';
import { divergenceSignificance } from '../../../services/shared/statistics/divergenceSignificance.ts';
import {
  jensenShannonDistance,
  jensenShannonSignificance,
} from '../../../services/shared/statistics/jensenShannonDistance.ts';
import { lInfinityDistance } from '../../../services/shared/statistics/lInfinityDistance.ts';
import { likelihoodRatioTest } from '../../../services/shared/statistics/likelihoodRatioTest.ts';
import { overdispersion } from '../../../services/shared/statistics/overdispersion.ts';
import {
  populationStabilityIndex,
  populationStabilitySignificance,
} from '../../../services/shared/statistics/populationStabilityIndex.ts';
import { seededRandom } from '../profile/distributions.ts';
import { expectAgreement, expectClose, scipy } from './fixtures.ts';

const twoVectors = fc
  .array(fc.tuple(fc.nat(2000), fc.nat(2000)), { minLength: 1, maxLength: 20 })
  .map((pairs): [number[], number[]] => [pairs.map(([left]) => left), pairs.map(([, right]) => right)]);
const vector = fc.array(fc.nat(2000), { minLength: 1, maxLength: 20 });

describe('against SciPy', () => {
  it.each(scipy.counts)('counts %#', ({ reference, recent, ...expected }) => {
    expectClose(populationStabilityIndex(reference, recent), expected.psi);
    expectClose(jensenShannonDistance(reference, recent), expected.jensenShannon);
    const { statistic, pValue, degreesOfFreedom } = chiSquared(reference, recent);
    expectClose(statistic, expected.chiSquared[0]!);
    expectClose(pValue, expected.chiSquared[1]!);
    expect(degreesOfFreedom).toBe(expected.chiSquared[2]);
    const divisor = 1 + (reference.length + 1) / (6 * recent.reduce((sum, count) => sum + count));
    const test = likelihoodRatioTest(reference, recent);
    expectClose(test.statistic, expected.g / divisor);
    expectClose(test.pValue, chiSquaredSurvival(expected.g / divisor, degreesOfFreedom));
    expectClose(Math.exp(test.logPValue), test.pValue);
  });

  it.each([...scipy.counts, ...scipy.sparseCounts])('distances %#', ({ reference, recent, ...expected }) => {
    const lInfinity = lInfinityDistance(reference, recent);
    expectClose(lInfinity.distance, expected.lInfinity);
    for (const [significance, [pValue, threshold]] of [
      [populationStabilitySignificance(reference, recent), expected.psiSignificance],
      [jensenShannonSignificance(reference, recent), expected.jensenShannonSignificance],
      [lInfinity.significance, expected.lInfinitySignificance],
    ] as const) {
      expectClose(significance!.pValue, pValue!);
      expectClose(significance!.thresholdAt(1e-4), threshold!);
    }
  });

  it.each(scipy.sparseCounts)('sparse counts %#', ({ reference, recent, psi, jensenShannon }) => {
    expectClose(populationStabilityIndex(reference, recent), psi);
    expectClose(jensenShannonDistance(reference, recent), jensenShannon);
  });

  it.each(scipy.overdispersion)('overdispersion %#', (blocks, expected) => {
    expectClose(overdispersion(blocks as number[][]), expected as number);
  });
});

describe('populationStabilityIndex and jensenShannonDistance', () => {
  it('are within their bounds, symmetric, and 0 for equal shares', () => {
    fc.assert(
      fc.property(twoVectors, ([left, right]) => {
        const index = populationStabilityIndex(left, right);
        const distance = jensenShannonDistance(left, right);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(index).toBeLessThan(Number.POSITIVE_INFINITY);
        expect(distance).toBeGreaterThanOrEqual(0);
        expect(distance).toBeLessThanOrEqual(1);
        expectClose(populationStabilityIndex(right, left), index, 1e-6);
        expectClose(jensenShannonDistance(right, left), distance, 1e-6);
        const doubled = left.map(count => 2 * count);
        expect(populationStabilityIndex(left, left)).toBe(0);
        expect(jensenShannonDistance(left, doubled)).toBeLessThan(1e-7);
      }),
    );
  });

  it('find nothing on an empty side', () => {
    expect(populationStabilityIndex([0, 0], [1, 2])).toBe(0);
    expect(jensenShannonDistance([1, 2], [0, 0])).toBe(0);
  });
});

describe('lInfinityDistance', () => {
  it('is in [0, 1], symmetric, and 0 for equal shares', () => {
    fc.assert(
      fc.property(twoVectors, ([left, right]) => {
        const { distance } = lInfinityDistance(left, right);
        expect(distance).toBeGreaterThanOrEqual(0);
        expect(distance).toBeLessThanOrEqual(1);
        expect(lInfinityDistance(right, left).distance).toBe(distance);
        expect(lInfinityDistance(left, left).distance).toBe(0);
      }),
    );
    expect(lInfinityDistance([3, 0], [0, 5]).distance).toBe(1);
  });

  it('of two bins is as significant as their chi-squared', () => {
    expectClose(lInfinityDistance([70, 30], [45, 15]).significance!.pValue, chiSquared([70, 30], [45, 15]).pValue);
  });
});

describe('significance of distances of counts', () => {
  const level = fc.double({ min: 1e-9, max: 0.2, noNaN: true });
  const significancesOf = (reference: number[], recent: number[]) => ({
    psi: populationStabilitySignificance(reference, recent),
    jensenShannon: jensenShannonSignificance(reference, recent),
    lInfinity: lInfinityDistance(reference, recent).significance,
  });

  it('is a p-value below the level exactly where the distance is above the threshold', () => {
    fc.assert(
      fc.property(twoVectors, level, ([left, right], at) => {
        const { psi, jensenShannon, lInfinity } = significancesOf(left, right);
        expectAgreement(populationStabilityIndex(left, right), psi, at);
        expectAgreement(jensenShannonDistance(left, right), jensenShannon, at);
        expectAgreement(lInfinityDistance(left, right).distance, lInfinity, at);
      }),
    );
  });

  it('has the level as the p-value of its threshold, which falls as records grow', () => {
    const divergence = divergenceSignificance([70, 20, 10], [7, 2, 1], { divergence: 0, curvature: 1 })!.thresholdAt(
      1e-3,
    );
    const atThreshold = divergenceSignificance([70, 20, 10], [7, 2, 1], { divergence, curvature: 1 })!;
    expectClose(atThreshold.pValue, 1e-3);
    const [few, many] = [
      significancesOf([70, 20, 10], [7, 2, 1]),
      significancesOf([7000, 2000, 1000], [700, 200, 100]),
    ];
    expectClose(few.psi!.thresholdAt(1e-3), 100 * many.psi!.thresholdAt(1e-3));
    expectClose(few.jensenShannon!.thresholdAt(1e-3), 10 * many.jensenShannon!.thresholdAt(1e-3));
    expectClose(few.lInfinity!.thresholdAt(1e-3), 10 * many.lInfinity!.thresholdAt(1e-3));
  });

  it('is none with fewer than two bins in use, or none on a side', () => {
    const none = { psi: null, jensenShannon: null, lInfinity: null };
    expect(significancesOf([0, 9, 0], [0, 7, 0])).toEqual(none);
    expect(significancesOf([1, 2], [0, 0])).toEqual(none);
    expect(significancesOf([0, 0], [1, 2])).toEqual(none);
  });

  it('rejects a true hypothesis about as often as it says', () => {
    const random = seededRandom(12);
    const tests = Array.from({ length: 2000 }, () =>
      Object.values(significancesOf(sampleOf(random, 800), sampleOf(random, 400))).map(
        significance => significance!.pValue < 0.05,
      ),
    );
    for (const index of [0, 1, 2]) {
      const rejected = tests.filter(row => row[index]).length / tests.length;
      expect(rejected).toBeGreaterThan(0.035);
      expect(rejected).toBeLessThan(0.065);
    }
  });
});

describe('chiSquared and likelihoodRatioTest', () => {
  it('are within their bounds, and find nothing between equal vectors', () => {
    fc.assert(
      fc.property(twoVectors, ([left, right]) => {
        for (const { statistic, pValue } of [chiSquared(left, right), likelihoodRatioTest(left, right)]) {
          expect(statistic).toBeGreaterThanOrEqual(0);
          expect(pValue).toBeGreaterThanOrEqual(0);
          expect(pValue).toBeLessThanOrEqual(1);
        }
      }),
    );
    fc.assert(
      fc.property(vector, counts => {
        expect(chiSquared(counts, counts)).toMatchObject({ statistic: 0, pValue: 1 });
        expectClose(likelihoodRatioTest(counts, counts).pValue, 1);
      }),
    );
  });

  it('pool the bins that expect fewer than 5 records, and leave out what stays below', () => {
    expect(chiSquared([100, 100, 2, 3], [100, 100, 4, 3])).toEqual(chiSquared([100, 100, 5], [100, 100, 7]));
    expect(chiSquared([100, 100, 1], [100, 100, 1]).degreesOfFreedom).toBe(1);
    expect(likelihoodRatioTest([900, 900, 20, 22], [100, 100, 2, 7])).toEqual(
      likelihoodRatioTest([900, 900, 42], [100, 100, 9]),
    );
  });

  it('pool by the recent sample alone in the likelihood-ratio test, by the smaller one in the chi-squared', () => {
    const [few, many] = [
      [60, 30, 3],
      [700, 200, 100],
    ];
    expect(likelihoodRatioTest(few, many).degreesOfFreedom).toBe(2);
    expect(likelihoodRatioTest(many, few).degreesOfFreedom).toBe(2);
    expect(chiSquared([60, 30, 0], [700, 200, 40]).degreesOfFreedom).toBe(1);
    expect(likelihoodRatioTest([60, 30, 0], [700, 200, 40]).degreesOfFreedom).toBe(2);
  });

  it('make no test of fewer than two bins', () => {
    const none = { statistic: 0, degreesOfFreedom: 0, pValue: 1 };
    for (const [left, right] of [
      [[5], [7]],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [[], []],
    ] as const) {
      expect(chiSquared([...left], [...right])).toEqual(none);
      expect(likelihoodRatioTest([...left], [...right])).toEqual({ ...none, logPValue: 0 });
    }
  });

  it('keep a logarithm where the p-value is 0 as a number', () => {
    const { pValue, logPValue } = likelihoodRatioTest([10_000, 10_000], [9000, 0]);
    expect(pValue).toBe(0);
    expect(logPValue).toBeLessThan(-1000);
  });

  it('reject a true hypothesis as often as they say', () => {
    const random = seededRandom(11);
    const pValues = Array.from(
      { length: 2000 },
      () => likelihoodRatioTest(sampleOf(random, 800), sampleOf(random, 200)).pValue,
    );
    const rejected = pValues.filter(pValue => pValue < 0.05).length / pValues.length;
    expect(rejected).toBeGreaterThan(0.035);
    expect(rejected).toBeLessThan(0.065);
  });
});

describe('overdispersion', () => {
  it('is at least 1, and 1 with fewer than two blocks or bins', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), fc.nat(300), fc.nat(300)), { maxLength: 12 }), blocks => {
        expect(overdispersion(blocks)).toBeGreaterThanOrEqual(1);
      }),
    );
    expect(overdispersion([])).toBe(1);
    expect(overdispersion([[90, 10]])).toBe(1);
    expect(overdispersion([[90], [10]])).toBe(1);
  });

  it('counts neither empty blocks nor bins with fewer than 5 records per block', () => {
    const blocks = [
      [50, 50],
      [90, 10],
      [10, 90],
    ];
    expect(overdispersion([...blocks, [0, 0]])).toBe(overdispersion(blocks));
    expectClose(
      overdispersion([
        [500, 400, 9],
        [400, 500, 0],
      ]),
      2.0127298444130126,
    );
  });
});

/** Records in five bins of unequal probability. */
function sampleOf(random: () => number, records: number): number[] {
  const upperEnds = [0.05, 0.15, 0.3, 0.5, 1];
  const counts = upperEnds.map(() => 0);
  for (let record = 0; record < records; record++) {
    const point = random();
    counts[upperEnds.findIndex(upperEnd => point < upperEnd)]! += 1;
  }
  return counts;
}

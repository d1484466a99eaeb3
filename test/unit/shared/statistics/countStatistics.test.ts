import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquared } from '../../../../services/shared/statistics/chiSquared.ts';
import {
  chiSquaredSurvival,
  logChiSquaredSurvival,
} from '../../../../services/shared/statistics/chiSquaredSurvival.ts';
import { divergenceSignificance } from '../../../../services/shared/statistics/divergenceSignificance.ts';
import {
  jensenShannonDistance,
  jensenShannonSignificance,
} from '../../../../services/shared/statistics/jensenShannonDistance.ts';
import { lInfinityDistance } from '../../../../services/shared/statistics/lInfinityDistance.ts';
import { likelihoodRatioTest } from '../../../../services/shared/statistics/likelihoodRatioTest.ts';
import { likelihoodRatioTrend } from '../../../../services/shared/statistics/likelihoodRatioTrend.ts';
import { overdispersion } from '../../../../services/shared/statistics/overdispersion.ts';
import {
  populationStabilityIndex,
  populationStabilitySignificance,
} from '../../../../services/shared/statistics/populationStabilityIndex.ts';
import { seededRandom } from '../profile/distributions.ts';
import { expectAgreement, expectClose, scipy } from './fixtures.ts';

const twoVectors = fc
  .array(fc.tuple(fc.nat(2000), fc.nat(2000)), { minLength: 1, maxLength: 20 })
  .map((pairs): [number[], number[]] => [
    pairs.map(([left]) => left),
    pairs.map(([, right]) => right),
  ]);
const vector = fc.array(fc.nat(2000), { minLength: 1, maxLength: 20 });

/** Returns the p-value of the test for independent records. */
function likelihoodRatioPValue(reference: number[], recent: number[]): number {
  const { statistic, degreesOfFreedom } = likelihoodRatioTest(reference, recent);
  return chiSquaredSurvival(statistic, degreesOfFreedom);
}

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
    expect(test.degreesOfFreedom).toBe(degreesOfFreedom);
    expectClose(
      likelihoodRatioPValue(reference, recent),
      chiSquaredSurvival(expected.g / divisor, degreesOfFreedom),
    );
    const ordered = likelihoodRatioTrend(reference, recent);
    expectClose(ordered.statistic, expected.trend);
    expect(ordered.degreesOfFreedom).toBe(reference.length > 2 ? 1 : 0);
  });

  it.each([...scipy.counts, ...scipy.sparseCounts])(
    'distances %#',
    ({ reference, recent, ...expected }) => {
      const lInfinity = lInfinityDistance(reference, recent);
      expectClose(lInfinity.distance, expected.lInfinity);
      for (const [significance, [pValue, threshold]] of [
        [
          populationStabilitySignificance(
            reference,
            recent,
            populationStabilityIndex(reference, recent),
          ),
          expected.psiSignificance,
        ],
        [
          jensenShannonSignificance(reference, recent, jensenShannonDistance(reference, recent)),
          expected.jensenShannonSignificance,
        ],
        [lInfinity.significance, expected.lInfinitySignificance],
      ] as const) {
        expectClose(significance!.pValue, pValue!);
        expectClose(significance!.thresholdAt(1e-4), threshold!);
      }
    },
  );

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

  it('are 0 if a sample is empty', () => {
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

  it('has the p-value of chi-squared for two bins', () => {
    expectClose(
      lInfinityDistance([70, 30], [45, 15]).significance!.pValue,
      chiSquared([70, 30], [45, 15]).pValue,
    );
  });
});

describe('significance of distances of counts', () => {
  const level = fc.double({ min: 1e-9, max: 0.2, noNaN: true });
  const significancesOf = (reference: number[], recent: number[]) => ({
    psi: populationStabilitySignificance(
      reference,
      recent,
      populationStabilityIndex(reference, recent),
    ),
    jensenShannon: jensenShannonSignificance(
      reference,
      recent,
      jensenShannonDistance(reference, recent),
    ),
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
    const divergence = divergenceSignificance([70, 20, 10], [7, 2, 1], {
      divergence: 0,
      curvature: 1,
    })!.thresholdAt(1e-3);
    const atThreshold = divergenceSignificance([70, 20, 10], [7, 2, 1], {
      divergence,
      curvature: 1,
    })!;
    expectClose(atThreshold.pValue, 1e-3);
    const [few, many] = [
      significancesOf([70, 20, 10], [7, 2, 1]),
      significancesOf([7000, 2000, 1000], [700, 200, 100]),
    ];
    expectClose(few.psi!.thresholdAt(1e-3), 100 * many.psi!.thresholdAt(1e-3));
    expectClose(few.jensenShannon!.thresholdAt(1e-3), 10 * many.jensenShannon!.thresholdAt(1e-3));
    expectClose(few.lInfinity!.thresholdAt(1e-3), 10 * many.lInfinity!.thresholdAt(1e-3));
  });

  it('is null with fewer than two bins in use, or with an empty sample', () => {
    const none = { psi: null, jensenShannon: null, lInfinity: null };
    expect(significancesOf([0, 9, 0], [0, 7, 0])).toEqual(none);
    expect(significancesOf([1, 2], [0, 0])).toEqual(none);
    expect(significancesOf([0, 0], [1, 2])).toEqual(none);
  });

  it('rejects a true hypothesis with about the probability of the level', () => {
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
  it('are within their bounds, and are 0 for equal vectors', () => {
    fc.assert(
      fc.property(twoVectors, ([left, right]) => {
        const pearson = chiSquared(left, right);
        expect(pearson.statistic).toBeGreaterThanOrEqual(0);
        expect(likelihoodRatioTest(left, right).statistic).toBeGreaterThanOrEqual(0);
        for (const pValue of [pearson.pValue, likelihoodRatioPValue(left, right)]) {
          expect(pValue).toBeGreaterThanOrEqual(0);
          expect(pValue).toBeLessThanOrEqual(1);
        }
      }),
    );
    fc.assert(
      fc.property(vector, counts => {
        expect(chiSquared(counts, counts)).toMatchObject({ statistic: 0, pValue: 1 });
        expectClose(likelihoodRatioPValue(counts, counts), 1);
      }),
    );
  });

  it('pool the bins that expect fewer than 5 records, and leave out what stays below', () => {
    expect(chiSquared([100, 100, 2, 3], [100, 100, 4, 3])).toEqual(
      chiSquared([100, 100, 5], [100, 100, 7]),
    );
    expect(chiSquared([100, 100, 1], [100, 100, 1]).degreesOfFreedom).toBe(1);
    expect(likelihoodRatioTest([900, 900, 20, 22], [100, 100, 2, 7])).toEqual(
      likelihoodRatioTest([900, 900, 42], [100, 100, 9]),
    );
  });

  it('pool bins by the recent sample in the likelihood-ratio test, and by the smaller sample in the chi-squared test', () => {
    const [few, many] = [
      [60, 30, 3],
      [700, 200, 100],
    ];
    expect(likelihoodRatioTest(few, many).degreesOfFreedom).toBe(2);
    expect(likelihoodRatioTest(many, few).degreesOfFreedom).toBe(2);
    expect(chiSquared([60, 30, 0], [700, 200, 40]).degreesOfFreedom).toBe(1);
    expect(likelihoodRatioTest([60, 30, 0], [700, 200, 40]).degreesOfFreedom).toBe(2);
  });

  it('have no degrees of freedom for fewer than two bins', () => {
    const none = { statistic: 0, degreesOfFreedom: 0 };
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
      expect(chiSquared([...left], [...right])).toEqual({ ...none, pValue: 1 });
      expect(likelihoodRatioTest([...left], [...right])).toEqual(none);
      expect(likelihoodRatioPValue([...left], [...right])).toBe(1);
    }
  });

  it('have a finite statistic, and a logarithm that distinguishes p-values too small for a number', () => {
    const { statistic, degreesOfFreedom } = likelihoodRatioTest([10_000, 10_000], [9000, 0]);
    expect(likelihoodRatioPValue([10_000, 10_000], [9000, 0])).toBe(0);
    expect(logChiSquaredSurvival(statistic, degreesOfFreedom)).toBeLessThan(-1000);
  });

  it('reject a true hypothesis with the probability of the level', () => {
    const random = seededRandom(11);
    const pValues = Array.from({ length: 2000 }, () =>
      likelihoodRatioPValue(sampleOf(random, 800), sampleOf(random, 200)),
    );
    const rejected = pValues.filter(pValue => pValue < 0.05).length / pValues.length;
    expect(rejected).toBeGreaterThan(0.035);
    expect(rejected).toBeLessThan(0.065);
  });
});

describe('overdispersion', () => {
  it('is at least 1, and 1 with fewer than two blocks or bins', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(300), fc.nat(300), fc.nat(300)), { maxLength: 12 }),
        blocks => {
          expect(overdispersion(blocks)).toBeGreaterThanOrEqual(1);
        },
      ),
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

/** Draws records in five bins of unequal probability. */
function sampleOf(random: () => number, records: number): number[] {
  const upperEnds = [0.05, 0.15, 0.3, 0.5, 1];
  const counts = upperEnds.map(() => 0);
  for (let record = 0; record < records; record++) {
    const point = random();
    counts[upperEnds.findIndex(upperEnd => point < upperEnd)]! += 1;
  }
  return counts;
}

describe('likelihoodRatioTrend', () => {
  const trendOf = (reference: number[], recent: number[]) =>
    likelihoodRatioTrend(reference, recent).statistic;

  it('is at least 0, at most the likelihood ratio of all bins, and the same in either direction', () => {
    fc.assert(
      fc.property(twoVectors, ([left, right]) => {
        const statistic = trendOf(left, right);
        expect(statistic).toBeGreaterThanOrEqual(0);
        expect(statistic).toBeLessThanOrEqual(
          likelihoodRatioOfAllBins(left, right) * (1 + 1e-9) + 1e-6,
        );
        // Below 1 the statistic, a difference of two logarithms, is exact to an absolute error.
        const tolerance = 1e-6 * Math.max(1, statistic);
        const others = [trendOf(right, left), trendOf(left.toReversed(), right.toReversed())];
        for (const other of others) {
          expect(Math.abs(other - statistic)).toBeLessThanOrEqual(tolerance);
        }
      }),
      {
        examples: [
          [
            [
              [5, 6, 9],
              [1458, 0, 1988],
            ],
          ],
        ],
      },
    );
  });

  it('equals the likelihood ratio of all bins if the samples do not overlap or the odds rise evenly, and is 0 if they rise and fall', () => {
    expectClose(
      trendOf([500, 500, 0, 0], [0, 0, 70, 30]),
      likelihoodRatioOfAllBins([500, 500, 0, 0], [0, 0, 70, 30]),
      1e-6,
    );
    // The odds are 1/4, 1 and 4 at the ranks -⅓, 0 and ⅓.
    expectClose(
      trendOf([400, 250, 100], [100, 250, 400]),
      likelihoodRatioOfAllBins([400, 250, 100], [100, 250, 400]),
    );
    expect(trendOf([500, 500, 500], [40, 60, 40])).toBeLessThan(1e-9);
  });

  it('ignores empty bins, and has no degrees of freedom for two bins or for few records outside the fullest bin', () => {
    expectClose(
      trendOf([500, 0, 300, 200], [50, 0, 10, 40]),
      trendOf([500, 300, 200], [50, 10, 40]),
    );
    const none = { statistic: 0, degreesOfFreedom: 0 };
    expect(likelihoodRatioTrend([500, 500], [60, 40])).toEqual(none);
    expect(likelihoodRatioTrend([960, 20, 20], [96, 2, 2])).toEqual(none);
    expect(likelihoodRatioTrend([940, 30, 30], [94, 3, 3]).degreesOfFreedom).toBe(1);
    expect(likelihoodRatioTrend([], [])).toEqual(none);
    expect(likelihoodRatioTrend([10, 20, 30], [0, 0, 0])).toEqual(none);
  });

  it('rejects a true hypothesis with the probability of the level', () => {
    const random = seededRandom(13);
    const sample = (count: number) => {
      const counts = new Array<number>(10).fill(0);
      for (let record = 0; record < count; record++) counts[Math.floor(10 * random() ** 2)]! += 1;
      return counts;
    };
    const rejected = (level: number) => {
      const statistics = Array.from({ length: 4000 }, () => trendOf(sample(400), sample(100)));
      return (
        statistics.filter(statistic => chiSquaredSurvival(statistic, 1) < level).length /
        statistics.length
      );
    };
    expect(rejected(0.05)).toBeGreaterThan(0.04);
    expect(rejected(0.05)).toBeLessThan(0.06);
    expect(rejected(0.002)).toBeLessThan(0.005);
  });
});

/** Returns the likelihood ratio without pooling and without the divisor for small samples. */
function likelihoodRatioOfAllBins(left: number[], right: number[]): number {
  const [leftTotal, rightTotal] = [left, right].map(counts =>
    counts.reduce((total, count) => total + count, 0),
  );
  const excess = (count: number, expected: number) =>
    count > 0 ? count * Math.log(count / expected) : 0;
  const total = leftTotal! + rightTotal!;
  return left.reduce((ratio, count, bin) => {
    const both = count + right[bin]!;
    return (
      ratio +
      2 *
        (excess(count, (both * leftTotal!) / total) +
          excess(right[bin]!, (both * rightTotal!) / total))
    );
  }, 0);
}

import { describe, expect, it } from 'vitest';
import { countBlock } from '../../../services/detector/blocks/block.ts';
import type { WindowPerformance } from '../../../services/detector/blocks/windowObservation.ts';
import { errorStatistic } from '../../../services/detector/families/errorStatistic.ts';
import {
  type Comparison,
  comparisonsWithinRegime,
} from '../../../services/detector/reference/comparison.ts';

const unknown = { history: [], noiseWeight: 1, priorDispersion: 1, cyclic: new Map() };
const options = { minimumRecords: 30, performanceDrop: 0.02 };

/** Returns the performance of a window with absolute errors of a mean and a standard deviation. */
function regression(labelled: number, mean: number, deviation: number): WindowPerformance {
  return {
    task: 'regression',
    labelled,
    lossSum: labelled * mean,
    lossSquareSum: labelled * (mean ** 2 + deviation ** 2),
    labelCounts: new Map(),
    predictedCounts: new Map(),
    rightCounts: new Map(),
  };
}

/** Compares a window with twenty earlier ones that are alike. */
function compared(before: WindowPerformance, now: WindowPerformance): Comparison {
  const blocks = [...Array.from({ length: 20 }, () => before), now].map((performance, index) =>
    countBlock(
      {
        startMs: index,
        endMs: index + 1,
        windows: 1,
        records: performance.labelled,
        variables: new Map(),
        codeVersions: new Map(),
        performance,
        sample: null,
      },
      { frozen: new Map(), pairs: null },
    ),
  );
  return comparisonsWithinRegime(blocks, new Map())[0]!;
}

describe('errorStatistic of a regression', () => {
  it('is the squared difference of the logarithms of the means in standard errors', () => {
    const test = errorStatistic(
      compared(regression(200, 2, 1.5), regression(100, 2.6, 1.8)),
      options,
      unknown,
    )!;
    // ln(2.6 / 2)² / ((1.5 / 2)² / 4000 + (1.8 / 2.6)² / 100), and scipy.stats.norm.sf of its root.
    expect(test.statistic).toBeCloseTo(13.952502, 5);
    expect(test.pValue).toBeCloseTo(9.3744e-5, 8);
    expect(test.valueAt(test.statistic)).toBeCloseTo(2.6, 10);
  });

  it('is the same for losses in another unit', () => {
    const statistic = (unit: number) =>
      errorStatistic(
        compared(regression(200, 2 * unit, 1.5 * unit), regression(100, 4 * unit, 3 * unit)),
        options,
        unknown,
      )!.statistic;
    expect(statistic(1000)).toBeCloseTo(statistic(1), 6);
  });

  it('compares the means themselves where one of them is zero', () => {
    const rose = errorStatistic(
      compared(regression(200, 0, 0), regression(100, 0.5, 1)),
      options,
      unknown,
    )!;
    expect(rose.statistic).toBeCloseTo(0.5 ** 2 / (1 / 100), 10);
    expect(rose.valueAt(rose.statistic)).toBeCloseTo(0.5, 10);
    const fell = errorStatistic(
      compared(regression(200, 0.5, 1), regression(100, 0, 0)),
      options,
      unknown,
    )!;
    expect(fell.fell).toBe(true);
    expect(fell.pValue).toBe(1);
  });
});

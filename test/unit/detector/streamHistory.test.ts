import { describe, expect, it } from 'vitest';
import { maxScale } from '../../../services/detector/reference/comparison.ts';
import {
  emptyStreamHistory,
  errorKey,
  labelsKey,
  type MeasuredScale,
  noiseWeight,
  type StreamHistory,
  withAlarm,
  withQuietBlock,
  withReference,
} from '../../../services/detector/significance/streamHistory.ts';

const feature = 'feature/x';
const degreesOfFreedom = 5;

/**
 * Returns the measurements of one block, with the ratio of each statistic to its degrees of
 * freedom.
 */
function blockOf(ratios: Record<string, number>): MeasuredScale[] {
  const tests = new Map(
    Object.entries(ratios).map(([key, ratio]) => [
      key,
      {
        plain: { statistic: ratio * degreesOfFreedom, degreesOfFreedom, size: 50 },
        cyclic: new Map(),
      },
    ]),
  );
  return [{ scale: 1, tests, logPValues: new Map([['features', -1]]) }];
}

function quietBlocks(
  count: number,
  ratios: Record<string, number>,
  start: StreamHistory = emptyStreamHistory,
) {
  let history = start;
  for (let block = 0; block < count; block++) history = withQuietBlock(history, blockOf(ratios));
  return history;
}

const blocksKnown = ({ statistics }: StreamHistory) => statistics.get(feature)?.[0]?.blocks ?? 0;

describe('StreamHistory', () => {
  it('learns from a block only after eight more quiet ones', () => {
    expect(blocksKnown(quietBlocks(maxScale, { [feature]: 1 }))).toBe(0);
    const history = quietBlocks(maxScale + 3, { [feature]: 1 });
    expect(blocksKnown(history)).toBe(3);
    expect(history.pending).toHaveLength(maxScale);
    expect(history.tails.get('features')![0]!.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it('drops the last blocks before an alarm if the stream is sampling noise between changes', () => {
    const history = withAlarm(quietBlocks(40, { [feature]: 0.8 }), blockOf({ [feature]: 30 }));
    expect(blocksKnown(history)).toBe(40 - maxScale);
    expect(history.pending).toEqual([]);
  });

  it('takes features that alarm again and again for ordered, beside others that never do', () => {
    const others = { 'feature/y': 0.8, 'feature/z': 0.8, 'feature/w': 0.8 };
    const alarm = (stream: StreamHistory) =>
      withAlarm(stream, blockOf({ ...others, [feature]: 9, [errorKey]: 9 }));
    const steady = quietBlocks(60, { ...others, [feature]: 1, [errorKey]: 1 });
    const once = alarm(steady);
    expect(noiseWeight(once)(feature)).toBeGreaterThan(0.9);
    const often = alarm(alarm(alarm(alarm(alarm(once)))));
    expect(noiseWeight(often)(feature)).toBeLessThan(0.1);
    expect(noiseWeight(often)('feature/y')).toBeGreaterThan(0.9);
    // Errors rise because of changes of the concept, which may come again and again.
    expect(often.statistics.get(errorKey)).toEqual(steady.statistics.get(errorKey));
  });

  it('learns from an alarm and the blocks before it if the stream is ordered', () => {
    const history = withAlarm(quietBlocks(40, { [feature]: 9 }), blockOf({ [feature]: 30 }));
    expect(blocksKnown(history)).toBe(40 + 1);
  });

  it('leaves the p-values of a reference out of the tails', () => {
    expect(withReference(emptyStreamHistory, blockOf({ [feature]: 9 })).tails.size).toBe(0);
  });

  it('keeps what was measured against a calendar separate, without effect on the noise weight', () => {
    const measurement = { statistic: 2 * degreesOfFreedom, degreesOfFreedom, size: 50 };
    const plain = { ...measurement, statistic: 9 * degreesOfFreedom };
    const tests = new Map([[feature, { plain, cyclic: new Map([['day' as const, measurement]]) }]]);
    let history = emptyStreamHistory;
    for (let block = 0; block < 40; block++)
      history = withQuietBlock(history, [{ scale: 1, tests, logPValues: new Map() }]);
    const day = history.cyclic.get(feature)!.get('day')![0]!;
    expect(day).toMatchObject({
      blocks: 40 - maxScale,
      sum: expect.closeTo(2 * (40 - maxScale), 9),
    });
    expect(history.statistics.get(feature)![0]!.sum).toBeCloseTo(9 * (40 - maxScale), 9);
    const without = new Map([[feature, { plain, cyclic: new Map() }]]);
    let other = emptyStreamHistory;
    for (let block = 0; block < 40; block++)
      other = withQuietBlock(other, [{ scale: 1, tests: without, logPValues: new Map() }]);
    expect(noiseWeight(history)(feature)).toBe(noiseWeight(other)(feature));
  });

  it('learns from a reference at once, without changing the history before', () => {
    const before = quietBlocks(40, { [feature]: 0.8 });
    const known = structuredClone(before);
    expect(blocksKnown(withReference(before, blockOf({ [feature]: 0.8 })))).toBe(
      blocksKnown(before) + 1,
    );
    withAlarm(before, blockOf({ [feature]: 30 }));
    quietBlocks(5, { [feature]: 3 }, before);
    expect(before).toEqual(known);
  });

  it('is plain data that checkpoints can store', () => {
    const history = quietBlocks(20, { [feature]: 1, [errorKey]: 1 });
    expect(structuredClone(history)).toEqual(history);
  });

  it('has a bounded size, however long the stream', () => {
    const sizeOf = (history: StreamHistory) => JSON.stringify([...history.statistics]).length;
    expect(sizeOf(quietBlocks(3000, { [feature]: 1 }))).toBeLessThan(
      2 * sizeOf(quietBlocks(20, { [feature]: 1 })),
    );
  });
});

describe('noiseWeight', () => {
  it('is 1 while there is no history', () => {
    expect(noiseWeight(emptyStreamHistory)(feature)).toBe(1);
  });

  it('distinguishes sampling noise from an ordered stream by its features', () => {
    expect(noiseWeight(quietBlocks(60, { [feature]: 0.8 }))(feature)).toBeGreaterThan(0.999);
    expect(noiseWeight(quietBlocks(60, { [feature]: 9 }))(feature)).toBeLessThan(0.001);
  });

  it('of a new feature follows from the other features', () => {
    const unknown = 'feature/new';
    expect(noiseWeight(quietBlocks(60, { [feature]: 0.8 }))(unknown)).toBeGreaterThan(0.999);
    expect(noiseWeight(quietBlocks(60, { [feature]: 9 }))(unknown)).toBeLessThan(0.01);
  });

  it.each([labelsKey, errorKey])(
    'stays high for %s that vary if the features are nothing but noise',
    key => {
      expect(noiseWeight(quietBlocks(60, { [feature]: 0.8, [key]: 3 }))(key)).toBeGreaterThan(0.99);
      expect(noiseWeight(quietBlocks(60, { [feature]: 9, [key]: 3 }))(key)).toBeLessThan(0.01);
      expect(noiseWeight(quietBlocks(60, { [key]: 3 }))(key)).toBeLessThan(0.01);
    },
  );

  it('falls for outputs that wander, because the model may be learning', () => {
    const output = 'output/score';
    expect(noiseWeight(quietBlocks(60, { [feature]: 0.8, [output]: 0.8 }))(output)).toBeGreaterThan(
      0.99,
    );
    expect(noiseWeight(quietBlocks(60, { [feature]: 0.8, [output]: 9 }))(output)).toBeLessThan(
      0.01,
    );
  });
});

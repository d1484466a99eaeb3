import { describe, expect, it } from 'vitest';
import { brokenPromises, lostShare, type YearOfModel } from '../../../quality/loop/promises.ts';
import { lossOf, lossOfConstant, mean } from '../../../quality/loop/servedModel.ts';
import { rowsOfDay, type World, worlds } from '../../../quality/loop/worlds.ts';

const year: YearOfModel = {
  world: 'steps',
  isMended: true,
  lossNever: 0.2,
  lossLoop: 0.14,
  lossOracle: 0.1,
  trainings: 2,
  promotions: [{ day: 81, version: '2', loss: 0.12, lossOfConstant: 0.25, lossOfPredecessor: 0.3 }],
  openEvents: [],
  lossAtEnd: 0.105,
  lossOfOracleAtEnd: 0.1,
};
const worldOf = (name: string): World => worlds.find(world => world.name === name)!;

describe('brokenPromises', () => {
  it('are none if the loop loses at most half of what an oracle wins', () => {
    expect(lostShare(year)).toBeCloseTo(0.4);
    expect(brokenPromises(year)).toEqual([]);
    expect(brokenPromises({ ...year, lossLoop: 0.151 })).toEqual([
      'steps: the loop has lost 51 % of what an oracle wins (at most 50 %).',
    ]);
  });

  it('name each version that is no better than a constant', () => {
    const worse = { ...year.promotions[0]!, loss: 0.25 };
    expect(brokenPromises({ ...year, promotions: [worse] })).toEqual([
      'steps: version 2, promoted on day 81, has the loss 0.2500, and a constant 0.2500.',
    ]);
  });

  it('name each event that is open although no harm is left', () => {
    const open = { ...year, openEvents: [{ id: 'e1', cause: 'concept_drift' }] };
    expect(brokenPromises(open)).toEqual([
      'steps: event e1 (concept_drift) is open at the end, although no harm is left.',
    ]);
    expect(brokenPromises({ ...open, lossAtEnd: 0.2 })).toEqual([]);
  });

  it('count what the loop has cost where nothing can be won', () => {
    const steady = { ...year, isMended: false, lossLoop: 0.203 };
    expect(brokenPromises(steady)).toEqual([]);
    expect(brokenPromises({ ...steady, lossLoop: 0.21 })).toEqual([
      'steps: the loss with the loop is 0.2100, and 0.2000 without it.',
    ]);
  });
});

describe('worlds', () => {
  it('change on the days that the oracle knows, and on no others', () => {
    for (const { name, changes, concept } of worlds) {
      const changed = Array.from({ length: 364 }, (_, day) => day + 1).filter(
        day => Math.abs(concept(day) - concept(day - 1)) > 0.1,
      );
      if (name !== 'ramp') expect(changed, name).toEqual(changes);
    }
  });

  it('draw the same rows each time, fewer on weekends', () => {
    const steady = worldOf('steady');
    expect(rowsOfDay(steady, 3)).toEqual(rowsOfDay(steady, 3));
    expect([3, 5].map(day => rowsOfDay(steady, day).length)).toEqual([200, 140]);
  });

  it('have a rare class where the name says so', () => {
    const rare = rowsOfDay(worldOf('steps-rare-class'), 0, 20_000);
    expect(mean(rare.map(({ label }) => Number(label === 'yes')))).toBeGreaterThan(0.02);
    expect(mean(rare.map(({ label }) => Number(label === 'yes')))).toBeLessThan(0.08);
  });
});

describe('lossOf', () => {
  it('is the squared error of the probability, or the absolute error', () => {
    const [steps, numbers] = [worldOf('steps'), worldOf('steps-regression')];
    const row = (label: string | number) => ({ features: {}, label });
    expect(lossOf(steps, row('yes'), { prediction: 'no', score: 0.4 })).toBeCloseTo(0.36);
    expect(lossOf(numbers, row(20), { prediction: 17 })).toBe(3);
    expect(lossOfConstant(steps, ['yes', 'no', 'no', 'no'].map(row))).toBeCloseTo(0.1875);
    expect(lossOfConstant(numbers, [1, 2, 6].map(row))).toBeCloseTo(5 / 3);
  });
});

import { describe, expect, it } from 'vitest';
import { cheapestClass, costOf } from '../../../../services/shared/model/costs.ts';
import { costsOfRareClass } from '../../../../services/shared/model/rareClass.ts';

describe('costOf', () => {
  it('is nothing for what is right, and 1 for an error without a cost', () => {
    const costs = { '1': { '0': 20 }, '0': { '0': -0.5 } };
    expect(costOf(costs, 1, 0)).toBe(20);
    expect(costOf(costs, 0, 1)).toBe(1);
    expect(costOf(costs, 1, 1)).toBe(0);
    expect(costOf(costs, 0, 0)).toBe(-0.5);
  });
});

describe('cheapestClass', () => {
  it('weighs what each error costs by how probable it is', () => {
    const classes = ['a', 'b', 'c'];
    expect(cheapestClass({}, classes, [0.3, 0.5, 0.2])).toBe(1);
    expect(cheapestClass({ c: { b: 4, a: 4 } }, classes, [0.3, 0.5, 0.2])).toBe(2);
    expect(cheapestClass({}, classes, [0.4, 0.4, 0.2])).toBe(0);
  });
});

describe('costsOfRareClass', () => {
  const labels = [...Array(90).fill('no'), ...Array(10).fill('yes')];

  it('draws the line where F1 of the rare class is highest', () => {
    // All ten above 0.3 with five others: F1 0.8. The next lower line takes in all.
    const probabilities = labels.map((label, row) => (label === 'yes' || row < 5 ? 0.4 : 0.2));
    const costs = costsOfRareClass(['no', 'yes'], probabilities, labels)!;
    expect(costs.no!.yes).toBeCloseTo(0.3);
    expect(costs.yes!.no).toBeCloseTo(0.7);
    expect(cheapestClass(costs, ['no', 'yes'], [0.69, 0.31])).toBe(1);
    expect(cheapestClass(costs, ['no', 'yes'], [0.71, 0.29])).toBe(0);
  });

  it('is about the rarer class, also if that is the negative one', () => {
    const probabilities = labels.map(label => (label === 'yes' ? 0.6 : 0.8));
    const costs = costsOfRareClass(['yes', 'no'], probabilities, labels)!;
    expect(costs.no!.yes).toBeCloseTo(0.3);
  });

  it('is null where no class is rare, or too few rows have it', () => {
    const scores = labels.map(() => 0.5);
    const even = labels.map((_, row) => (row % 2 === 0 ? 'no' : 'yes'));
    expect(costsOfRareClass(['no', 'yes'], scores, even)).toBeNull();
    expect(costsOfRareClass(['no', 'yes'], scores, labels.slice(0, 99))).toBeNull();
  });
});

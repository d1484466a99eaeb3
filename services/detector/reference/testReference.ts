import type { CountVector } from '../../shared/bins/countVector.ts';
import type { BlockSums } from '../blocks/block.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';

/** The reference that a test compares recent blocks with. Expected counts may be fractions. */
export interface TestReference {
  /** Returns the counts of a variable, by `variableKey`; null if the reference does not have it. */
  countsOf(key: string): Readonly<CountVector> | null;
  /** Returns the labels and losses; null if the reference has none. */
  performance(): WindowPerformance | null;
}

/** Returns the reference that consists of earlier blocks, whatever their time. */
export function plainReference({ variables, performance }: BlockSums): TestReference {
  return {
    countsOf: key => {
      const sums = variables.get(key);
      return sums && sums.blocks > 0 ? sums.counts : null;
    },
    performance: () => performance,
  };
}

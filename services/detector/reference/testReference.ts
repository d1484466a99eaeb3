import type { BlockSums } from '../blocks/block.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';

/** What a test compares recent blocks with. */
export interface TestReference {
  /** As `VariableCounts.counts`, by `variableKey`; null where nothing is known of the variable. */
  countsOf(key: string): readonly number[] | null;
  performance(): WindowPerformance | null;
}

/** Earlier blocks, whatever their time. */
export function plainReference({ variables, performance }: BlockSums): TestReference {
  return {
    countsOf: key => {
      const sums = variables.get(key);
      return sums && sums.blocks > 0 ? sums.counts : null;
    },
    performance: () => performance,
  };
}

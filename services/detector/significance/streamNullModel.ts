import { scaleIndex } from '../reference/comparison.ts';
import type { FamilyName } from './family.ts';
import { dispersionOfLongest } from './nullModel.ts';
import { noiseWeight, type StreamHistory, type TestKey } from './streamHistory.ts';
import type { TailHistory } from './tailHistory.ts';
import type { TestNullModel } from './testBestReference.ts';

/** The null models of all tests and families, learned from the stream before a block. */
export interface StreamNullModel {
  /** Returns the null model of a test. */
  of(key: TestKey): TestNullModel;
  /** Returns what is known about the p-values of a family; undefined if nothing is. */
  tail(family: FamilyName, scale: number): TailHistory | undefined;
}

/**
 * Returns the null models that follow from a history. O(tests); each question is then O(1).
 *
 * @param shorter the null models of shorter blocks of the same stream: what varies by more than
 * sampling noise in hours does so in days, and by as much at least
 */
export function streamNullModel(
  history: StreamHistory,
  shorter: StreamNullModel | null = null,
): StreamNullModel {
  const weight = noiseWeight(history);
  return {
    of(key) {
      const known = shorter?.of(key);
      return {
        history: history.statistics.get(key) ?? [],
        cyclic: history.cyclic.get(key) ?? new Map(),
        noiseWeight: Math.min(weight(key), known?.noiseWeight ?? 1),
        priorDispersion: known ? dispersionOfLongest(known) : 1,
      };
    },
    tail: (family, scale) => history.tails.get(family)?.[scaleIndex(scale)],
  };
}

import { scales } from '../reference/comparison.ts';
import type { TestSignificance } from './bestTest.ts';
import type { FamilyName } from './family.ts';
import { noiseWeight, type StreamHistory, type TestKey } from './streamHistory.ts';
import type { TailHistory } from './tailHistory.ts';

/** What the tests of one block mean, from the history of the stream before it. */
export interface StreamSignificance {
  of(key: TestKey): TestSignificance;
  tail(family: FamilyName, scale: number): TailHistory | undefined;
}

export function streamSignificance(history: StreamHistory): StreamSignificance {
  const weight = noiseWeight(history);
  return {
    of: key => ({
      history: history.statistics.get(key) ?? [],
      cyclic: history.cyclic.get(key) ?? new Map(),
      noiseWeight: weight(key),
    }),
    tail: (family, scale) =>
      history.tails.get(family)?.[scales.indexOf(scale as (typeof scales)[number])],
  };
}

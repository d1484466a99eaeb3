import { scales } from './comparison.ts';
import type { Family } from './evidence.ts';
import type { Significance } from './significance.ts';
import { noiseWeight, type StreamHistory, type TestKey } from './streamHistory.ts';
import type { TailHistory } from './tailHistory.ts';

/** What the tests of one block mean, from the history of the stream before it. */
export interface StreamSignificance {
  of(key: TestKey): Significance;
  tail(family: Family, scale: number): TailHistory | undefined;
}

export function streamSignificance(history: StreamHistory): StreamSignificance {
  const weight = noiseWeight(history);
  return {
    of: key => ({ history: history.statistics.get(key) ?? [], noiseWeight: weight(key) }),
    tail: (family, scale) => history.tails.get(family)?.[scales.indexOf(scale as (typeof scales)[number])],
  };
}

import type { ReplayLine } from './replayLine.ts';

export interface ReplayBatch {
  source: 'predictions' | 'feedback';
  lines: ReplayLine[];
}

/**
 * Puts predictions and feedback into the order in which the topics of a running system would have
 * got them. Both keep the order of their file. Feedback waits until no prediction of the current
 * batch has an event time up to its own, so that in files ordered by time no label comes before its
 * prediction. A line without a time does not wait.
 */
export async function* interleave(
  predictions: AsyncIterable<ReplayLine[]>,
  feedback: AsyncIterable<ReplayLine[]>,
): AsyncGenerator<ReplayBatch> {
  const feedbackBatches = feedback[Symbol.asyncIterator]();
  let waiting: ReplayLine[] = [];

  /** Yields the next lines of feedback, up to the first one that is not before the time. */
  async function* feedbackBefore(timeMs: number): AsyncGenerator<ReplayBatch> {
    for (;;) {
      const stop = waiting.findIndex(line => line.timeMs !== null && line.timeMs >= timeMs);
      const ready = stop === -1 ? waiting : waiting.slice(0, stop);
      waiting = stop === -1 ? [] : waiting.slice(stop);
      if (ready.length > 0) yield { source: 'feedback', lines: ready };
      if (stop !== -1) return;
      const next = await feedbackBatches.next();
      if (next.done) return;
      waiting = next.value;
    }
  }

  for await (const lines of predictions) {
    const times = lines.flatMap(line => line.timeMs ?? []);
    if (times.length > 0)
      yield* feedbackBefore(times.reduce((earliest, time) => Math.min(earliest, time)));
    yield { source: 'predictions', lines };
  }
  yield* feedbackBefore(Number.POSITIVE_INFINITY);
}

import type { ReplayLine } from './replayLine.ts';

export interface ReplayBatch {
  source: 'predictions' | 'feedback';
  lines: ReplayLine[];
}

/**
 * Predictions and feedback in the order in which the topics of a running system would have got them. Both keep the order of their file.
 * Feedback waits until no prediction of the current batch has a time up to its own, so that in a file in order of time no label
 * comes before its prediction; a line without a time waits for nothing.
 */
export async function* interleave(
  predictions: AsyncIterable<ReplayLine[]>,
  feedback: AsyncIterable<ReplayLine[]>,
): AsyncGenerator<ReplayBatch> {
  const feedbackBatches = feedback[Symbol.asyncIterator]();
  let waiting: ReplayLine[] = [];

  /** Feedback from the head of the file on, up to the first line that is not before the time. */
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
      yield* feedbackBefore(times.reduce((least, time) => Math.min(least, time)));
    yield { source: 'predictions', lines };
  }
  yield* feedbackBefore(Number.POSITIVE_INFINITY);
}

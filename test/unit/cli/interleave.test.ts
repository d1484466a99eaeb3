import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interleave } from '../../../bin/replay/interleave.ts';
import type { ReplayLine } from '../../../bin/replay/replayLine.ts';

const line = (name: string, timeMs: number | null): ReplayLine => ({
  key: name,
  value: Buffer.from(name),
  timeMs,
});

async function* inBatches(lines: ReplayLine[], size: number): AsyncGenerator<ReplayLine[]> {
  for (let start = 0; start < lines.length; start += size) yield lines.slice(start, start + size);
}

async function order(
  predictions: ReplayLine[],
  feedback: ReplayLine[],
  batchSize = 1,
): Promise<string[]> {
  const names: string[] = [];
  for await (const { lines } of interleave(
    inBatches(predictions, batchSize),
    inBatches(feedback, batchSize),
  )) {
    names.push(...lines.map(({ key }) => key!));
  }
  return names;
}

describe('interleave', () => {
  it('sends feedback after the predictions up to its time', async () => {
    const predictions = [line('p10', 10), line('p20', 20), line('p30', 30)];
    const feedback = [line('f15', 15), line('f20', 20), line('f99', 99)];
    expect(await order(predictions, feedback)).toEqual(['p10', 'f15', 'p20', 'f20', 'p30', 'f99']);
  });

  it('keeps feedback in the order of its file, also if its times are not in order', async () => {
    expect(
      await order([line('p1', 1), line('p2', 2)], [line('f9', 9), line('f1', 1), line('f?', null)]),
    ).toEqual(['p1', 'p2', 'f9', 'f1', 'f?']);
  });

  it('does not wait for a line without a time', async () => {
    expect(
      await order(
        [line('p1', 1), line('p?', null), line('p5', 5)],
        [line('f?', null), line('f3', 3)],
      ),
    ).toEqual(['f?', 'p1', 'p?', 'f3', 'p5']);
  });

  it('sends feedback alone, and predictions alone', async () => {
    expect(await order([], [line('f1', 1), line('f2', 2)])).toEqual(['f1', 'f2']);
    expect(await order([line('p1', 1)], [])).toEqual(['p1']);
  });

  it('sends every line once and both files in their order; no label comes before its prediction if times are in order', async () => {
    const time = fc.integer({ min: 0, max: 50 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(time),
        fc.array(time),
        fc.integer({ min: 1, max: 7 }),
        async (first, second, batchSize) => {
          const predictions = first
            .sort((a, b) => a - b)
            .map((timeMs, index) => line(`p${index}`, timeMs));
          const feedback = second.map((timeMs, index) => line(`f${index}`, timeMs));
          const names = await order(predictions, feedback, batchSize);
          expect(names.filter(name => name.startsWith('p'))).toEqual(
            predictions.map(({ key }) => key),
          );
          expect(names.filter(name => name.startsWith('f'))).toEqual(
            feedback.map(({ key }) => key),
          );
          for (const { key, timeMs } of feedback) {
            const sentAfter = names.slice(names.indexOf(key!)).filter(name => name.startsWith('p'));
            for (const name of sentAfter)
              expect(predictions[Number(name.slice(1))]!.timeMs!).toBeGreaterThan(timeMs!);
          }
        },
      ),
    );
  });
});

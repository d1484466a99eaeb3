import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReplayLine } from '../../../bin/replay/replayLine.ts';
import { Spool } from '../../../bin/replay/spool.ts';

const lineArbitrary: fc.Arbitrary<ReplayLine> = fc.record({
  key: fc.option(fc.string({ unit: 'binary' }).filter(key => key.isWellFormed())),
  value: fc.uint8Array({ maxLength: 30 }).map(bytes => Buffer.from(bytes)),
  timeMs: fc.option(fc.integer({ min: -5, max: 20 }), { freq: 5 }),
});

describe('Spool', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'driftloop-spool-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function spooled(lines: readonly ReplayLine[], linesPerBatch = 3): Promise<Spool> {
    const spool = new Spool(join(folder, 'lines'));
    async function* batches() {
      for (let start = 0; start < lines.length; start += linesPerBatch)
        yield lines.slice(start, start + linesPerBatch);
    }
    await spool.write(batches(), () => {});
    return spool;
  }

  async function read(spool: Spool, order: 'of file' | 'of time'): Promise<ReplayLine[]> {
    return (await batchesOf(spool, order)).flat();
  }

  async function batchesOf(spool: Spool, order: 'of file' | 'of time'): Promise<ReplayLine[][]> {
    const batches: ReplayLine[][] = [];
    for await (const batch of spool.read(order)) batches.push(batch);
    return batches;
  }

  it('gives back every line as it was, in the order of the file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(lineArbitrary), async lines => {
        const spool = await spooled(lines);
        const back = await read(spool, 'of file');
        expect(back.map(({ key, value }) => ({ key, value }))).toEqual(
          lines.map(({ key, value }) => ({ key, value })),
        );
        spool.close();
      }),
    );
  });

  it('gives the lines in the order of time; a line without one stays behind its neighbour', async () => {
    const line = (key: string, timeMs: number | null) => ({ key, timeMs, value: Buffer.from(key) });
    const spool = await spooled([
      line('first?', null),
      line('c', 30),
      line('c?', null),
      line('a', 10),
      line('b', 20),
      line('b2', 20),
    ]);
    expect((await read(spool, 'of time')).map(({ key }) => key)).toEqual([
      'first?',
      'a',
      'b',
      'b2',
      'c',
      'c?',
    ]);
    expect(spool.disorder).toEqual({ line: 4, behindLine: 2, behindMs: 20 });
    spool.close();
  });

  it('says of a file in order that it is, and reads more lines than one batch has', async () => {
    const lines = Array.from({ length: 2_500 }, (_, number) => ({
      key: `${number}`,
      value: Buffer.from(`${number}`),
      timeMs: number,
    }));
    const spool = await spooled(lines, 100);
    expect(spool.disorder).toBeNull();
    expect(await read(spool, 'of file')).toEqual(lines);
    spool.close();
    const reversed = await spooled(lines.toReversed(), 100);
    expect(reversed.disorder).toEqual({ line: 2_500, behindLine: 1, behindMs: 2_499 });
    const batches = await batchesOf(reversed, 'of time');
    expect(batches.flat()).toEqual(lines);
    expect(batches.map(batch => batch.length)).toEqual([1_000, 1_000, 500]);
    reversed.close();
  });
});

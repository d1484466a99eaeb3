import { describe, expect, it } from 'vitest';
import { Turns } from '../../../infra/local/clickhouse/turns.ts';

describe('Turns', () => {
  it('runs as many tasks at a time as it may, in the order in which they came', async () => {
    const turns = new Turns(2, 10);
    const started: number[] = [];
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const tasks = gates.map(({ promise }, index) =>
      turns.take(async () => {
        started.push(index);
        await promise;
        return index;
      }),
    );
    expect(started).toEqual([0, 1]);
    gates[1]!.resolve();
    await tasks[1];
    expect(started).toEqual([0, 1, 2]);
    for (const { resolve } of gates) resolve();
    expect(await Promise.all(tasks)).toEqual([0, 1, 2, 3]);
    await turns.idle();
  });

  it('refuses a task when too many wait, and continues after one that fails', async () => {
    const turns = new Turns(1, 1);
    const gate = Promise.withResolvers<void>();
    const running = turns.take(() => gate.promise);
    const waiting = turns.take(async () => 'done');
    await expect(turns.take(async () => {})).rejects.toThrow(/Code: 202\./);
    gate.reject(new Error('broken'));
    await expect(running).rejects.toThrow('broken');
    expect(await waiting).toBe('done');
  });
});

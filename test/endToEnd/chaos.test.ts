import { expect, it } from 'vitest';
import type { Disturbance } from '../chaos/disturbances.ts';
import { runChaos } from '../chaos/runChaos.ts';

/** One disturbance of each sort. `npm run chaos` has all of them. */
const round: readonly Disturbance[] = [
  'SIGKILL of a service',
  'SIGKILL of a service',
  'SIGSTOP of a service',
  'replica more or less',
  'clickhouse killed',
  'clickhouse inserts cut off',
  'clickhouse answers lost',
  'disk of the artifacts full',
];

it('under disturbances the tables equal an offline pass over the topics, and each cause leads to one training', async () => {
  const { survived, rows, trainings, differences } = await runChaos({
    seed: 12,
    chunks: round.length,
    round,
  });
  expect(differences).toEqual([]);
  expect([...survived.keys()]).toContain('clickhouse answers lost');
  for (const [table, compared] of rows) expect(compared, table).toBeGreaterThan(0);
  const trained = [...trainings].filter(([name]) => /approved|rejected/.test(name));
  expect(trained.length).toBeGreaterThan(0);
});

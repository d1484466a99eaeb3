import { expect, it } from 'vitest';
import type { Disturbance } from '../chaos/disturbances.ts';
import { runChaos } from '../chaos/runChaos.ts';

/** A short selection of disturbances. `npm run chaos` uses all of them. */
const round: readonly Disturbance[] = [
  'SIGKILL of a service',
  'SIGKILL of a service',
  'SIGSTOP of a service',
  'replica added or removed',
  'clickhouse killed',
  'clickhouse inserts cut off',
  'clickhouse responses lost',
  'artifacts disk full',
];

it('stores what one offline pass over the topics gives, and trains once per cause, while it is disturbed', async () => {
  const { survived, rows, trainings, differences } = await runChaos({
    seed: 12,
    chunks: round.length,
    round,
  });
  expect(differences).toEqual([]);
  expect([...survived.keys()]).toContain('clickhouse responses lost');
  for (const [table, compared] of rows) expect(compared, table).toBeGreaterThan(0);
  const trained = [...trainings].filter(([name]) => /approved|rejected/.test(name));
  expect(trained.length).toBeGreaterThan(0);
});

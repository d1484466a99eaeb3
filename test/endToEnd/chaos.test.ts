import { expect, it } from 'vitest';
import { runChaos } from '../chaos/runChaos.ts';

it('holds what an offline pass over the topics computes, after kills, freezes and rebalances of services and servers', async () => {
  const { survived, rows, differences } = await runChaos({ seed: 12, chunks: 10 });
  expect(differences).toEqual([]);
  expect(survived.size).toBeGreaterThan(0);
  for (const [table, compared] of rows) expect(compared, table).toBeGreaterThan(0);
});

import { setTimeout as pause } from 'node:timers/promises';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';

const pauseMs = 250;

/** Waits until ClickHouse has nothing to merge: what an insert costs is over only then. It has no signal for it. */
export async function untilMerged(clickhouse: Clickhouse): Promise<void> {
  for (;;) {
    const [row] = await clickhouse.select<{ merges: number }>(
      'SELECT count() AS merges FROM system.merges',
    );
    if (row!.merges === 0) return;
    await pause(pauseMs);
  }
}

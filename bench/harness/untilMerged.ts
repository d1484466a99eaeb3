import { setTimeout as pause } from 'node:timers/promises';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';

const pauseMs = 250;

/**
 * Waits until ClickHouse has nothing to merge, because merges are a part of the cost of an insert.
 * ClickHouse does not announce their end.
 */
export async function untilMerged(clickhouse: Clickhouse): Promise<void> {
  for (;;) {
    const [row] = await clickhouse.select<{ merges: number }>(
      'SELECT count() AS merges FROM system.merges',
    );
    if (row!.merges === 0) return;
    await pause(pauseMs);
  }
}

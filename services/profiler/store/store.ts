import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { PredictionTable } from './predictionTable.ts';
import { ProgressTable } from './progressTable.ts';
import { WindowTables } from './windowTables.ts';

/**
 * The SQL of the profiler, by table. A flush writes predictions, then windows, then progress, so
 * that what progress claims is there.
 */
export interface ProfilerStore {
  predictions: PredictionTable;
  windows: WindowTables;
  progress: ProgressTable;
}

export function profilerStore(clickhouse: Clickhouse): ProfilerStore {
  return {
    predictions: new PredictionTable(clickhouse),
    windows: new WindowTables(clickhouse),
    progress: new ProgressTable(clickhouse),
  };
}

import { clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { JudgedWindowOfVersion } from './judgedWindow.ts';

/** Returns the columns that name the window, in evaluated_windows and drift_metrics alike. */
export function windowColumns({ model, version, segment, observation }: JudgedWindowOfVersion) {
  return {
    model,
    version,
    segment,
    window_start: clickhouseTime(observation.startMs),
    window_end: clickhouseTime(observation.endMs),
  };
}

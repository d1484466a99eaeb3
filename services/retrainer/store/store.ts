import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { DatasetTable } from './datasetTable.ts';
import { EvidenceQueries } from './evidenceQueries.ts';
import { HistoryQueries } from './historyQueries.ts';
import { LabelledRowQueries } from './labelledRowQueries.ts';
import { ModelVersionTable } from './modelVersionTable.ts';
import { TrainingRunTable } from './trainingRunTable.ts';

/** The SQL of the retrainer: what it asks about a model, then the tables that it writes. */
export interface RetrainerStore {
  history: HistoryQueries;
  evidence: EvidenceQueries;
  labelledRows: LabelledRowQueries;
  datasets: DatasetTable;
  runs: TrainingRunTable;
  versions: ModelVersionTable;
}

export function retrainerStore(clickhouse: Clickhouse): RetrainerStore {
  return {
    history: new HistoryQueries(clickhouse),
    evidence: new EvidenceQueries(clickhouse),
    labelledRows: new LabelledRowQueries(clickhouse),
    datasets: new DatasetTable(clickhouse),
    runs: new TrainingRunTable(clickhouse),
    versions: new ModelVersionTable(clickhouse),
  };
}

import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { DatasetTable } from './datasetTable.ts';
import { EvidenceQueries } from './evidenceQueries.ts';
import { HistoryQueries } from './historyQueries.ts';
import { LabelledRowQueries } from './labelledRowQueries.ts';
import { ModelAliasTable } from './modelAliasTable.ts';
import { ModelVersionTable } from './modelVersionTable.ts';
import { ShadowQueries } from './shadowQueries.ts';
import { TrainingRunTable } from './trainingRunTable.ts';
import { VersionStepTable } from './versionStepTable.ts';

/** The SQL of the retrainer: what it asks about a model, then the tables that it writes. */
export interface RetrainerStore {
  history: HistoryQueries;
  evidence: EvidenceQueries;
  labelledRows: LabelledRowQueries;
  shadow: ShadowQueries;
  datasets: DatasetTable;
  runs: TrainingRunTable;
  versions: ModelVersionTable;
  steps: VersionStepTable;
  aliases: ModelAliasTable;
}

export function retrainerStore(clickhouse: Clickhouse): RetrainerStore {
  return {
    history: new HistoryQueries(clickhouse),
    evidence: new EvidenceQueries(clickhouse),
    labelledRows: new LabelledRowQueries(clickhouse),
    shadow: new ShadowQueries(clickhouse),
    datasets: new DatasetTable(clickhouse),
    runs: new TrainingRunTable(clickhouse),
    versions: new ModelVersionTable(clickhouse),
    steps: new VersionStepTable(clickhouse),
    aliases: new ModelAliasTable(clickhouse),
  };
}

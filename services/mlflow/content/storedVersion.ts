/** What the tables say of a version, its training, and the rows that it was trained on. */
export interface StoredVersion {
  model: string;
  version: string;
  status: string;
  /** '' in rows of Driftloop 0.1. */
  state: string;
  /** Why, gate by gate. */
  reasons: string[];
  metrics: Record<string, number>;
  championVersion: string;
  runId: string;
  codeVersion: string;
  artifactUri: string;
  artifactChecksum: string;
  judgedAtMs: number;
  changedBy: string;
  note: string | null;
  causeType: string;
  causeId: string;
  startedAtMs: number;
  datasetId: string;
  /** Null if the table does not have the dataset. */
  dataset: StoredDataset | null;
}

export interface StoredDataset {
  task: 'binary' | 'multiclass' | 'regression';
  uri: string;
  rows: number;
  trainRows: number;
  selectRows: number;
  gateRows: number;
  fromMs: number;
  toMs: number;
  /** number or text, by feature; none where Driftloop 0.1 did not store it. */
  featureTypes: Record<string, string>;
}

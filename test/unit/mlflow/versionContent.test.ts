import { describe, expect, it } from 'vitest';
import { modelDescription } from '../../../services/mlflow/content/modelDescription.ts';
import { registeredName } from '../../../services/mlflow/content/names.ts';
import type { StoredVersion } from '../../../services/mlflow/content/storedVersion.ts';
import {
  loggedDataset,
  runContent,
  stateTags,
} from '../../../services/mlflow/content/versionContent.ts';

const version: StoredVersion = {
  model: 'churn',
  version: '2024-06+1',
  status: 'candidate',
  state: 'waiting_for_approval',
  reasons: ['Comparison: a lower loss.', 'Verdict: not evaluable. Nothing can be said.'],
  metrics: { 'loss (gate)': 0.5, worst: Number.NaN },
  championVersion: '',
  runId: 'run',
  codeVersion: 'python3 train.py',
  artifactUri: 'file:///models/1',
  artifactChecksum: 'c',
  judgedAtMs: 2_000,
  changedBy: 'retrainer',
  note: null,
  causeType: 'drift_event',
  causeId: 'event',
  startedAtMs: 1_000,
  datasetId: '00000010'.padEnd(64, 'f'),
  dataset: {
    task: 'regression',
    uri: 's3://rows',
    rows: 1000,
    trainRows: 700,
    selectRows: 150,
    gateRows: 150,
    fromMs: 0,
    toMs: 1_000,
    featureTypes: { age: 'number', city: 'text' },
  },
};

describe('what goes to MLflow', () => {
  it('has only names and values that MLflow takes', () => {
    const { metrics, tags, parameters } = runContent(version);
    expect(metrics).toEqual([{ key: 'loss _gate_', value: 0.5, timestampMs: 2_000 }]);
    expect(tags).toMatchObject({
      'driftloop.verdict': 'not evaluable',
      'driftloop.cause_id': 'event',
    });
    // MLflow has no empty tags.
    expect(tags).not.toHaveProperty('driftloop.compared_with');
    expect(parameters).toMatchObject({ seed: '1', features: '2', to: '1970-01-01T00:00:01.000Z' });
    expect(stateTags({ ...version, note: 'x'.repeat(9_000) })['driftloop.note']).toHaveLength(
      5_000,
    );
  });

  it('has a digest that MLflow takes', () => {
    const { digest, sourceType } = loggedDataset(version, version.dataset!);
    expect(digest).toBe(version.datasetId.slice(0, 32));
    expect(sourceType).toBe('uri');
  });

  it('says nothing of features that are not known', () => {
    const old = { ...version, dataset: { ...version.dataset!, featureTypes: {} } };
    expect(JSON.parse(modelDescription(old, 'r'))).not.toHaveProperty('signature');
    expect(runContent(old).parameters).not.toHaveProperty('features');
    expect(runContent({ ...version, dataset: null }).parameters).not.toHaveProperty('rows');
  });

  it.each([
    ['churn', 'churn'],
    ['fraud/eu:1', 'fraud%2Feu%3A1'],
    ["it's 100 %", 'it%27s 100 %25'],
    ['..', '%2E%2E'],
    [' ', '%20'],
  ])('has a name for the model %j that MLflow takes', (model, expected) => {
    expect(registeredName(model)).toBe(expected);
  });

  it('has different names for long names that are different', () => {
    const [a, b] = ['a', 'b'].map(end => registeredName('m'.repeat(300) + end));
    expect(a).not.toBe(b);
    expect(a!.length).toBeLessThan(256);
  });
});

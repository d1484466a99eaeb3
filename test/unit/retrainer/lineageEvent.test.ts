import { describe, expect, it } from 'vitest';
import type { JudgedVersion } from '../../../services/retrainer/artifacts/runResult.ts';
import { endEvent, startEvent, uuidOf } from '../../../services/retrainer/run/lineageEvent.ts';
import type { RunStart } from '../../../services/retrainer/run/runOutcome.ts';
import { openArtifactStore } from '../../../services/shared/artifacts/openArtifactStore.ts';
import { deterministicId } from '../../../services/shared/deterministicId.ts';

const run = {
  runId: deterministicId('run', 'manual', 'r1'),
  cause: { type: 'manual', id: 'r1', model: 'churn' },
  championVersion: '1',
  startedAtMs: Date.UTC(2026, 0, 1),
  artifacts: openArtifactStore('s3://b/p/churn'),
} as RunStart;
const sources = {
  namespace: 'shop',
  kafkaNamespace: 'kafka://k:9092',
  topics: ['predictions', 'feedback'],
};
const endedAtMs = Date.UTC(2026, 0, 2);

describe('events of OpenLineage', () => {
  it('say what went in when a training starts', () => {
    expect(startEvent(run, sources)).toMatchObject({
      eventType: 'START',
      eventTime: '2026-01-01T00:00:00.000Z',
      schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
      run: { runId: uuidOf(run.runId) },
      job: { namespace: 'shop', name: 'train.churn' },
      inputs: [
        { namespace: 'kafka://k:9092', name: 'predictions' },
        { namespace: 'kafka://k:9092', name: 'feedback' },
      ],
      outputs: [],
    });
  });

  it('say what came out of a training, and have the same run', () => {
    const version = {
      ...{ version: '2', status: 'rejected', datasetId: 'd', codeVersion: 't', reasons: ['No.'] },
      ...{ metrics: { gateRows: 9 }, artifactUri: 's3://b/p/churn/versions/r/model-1' },
      artifactChecksum: 'c',
    } as unknown as JudgedVersion;
    const ended = endEvent(run, { kind: 'judged', version }, endedAtMs, sources);
    expect(ended.eventType).toBe('COMPLETE');
    expect(ended.run.runId).toBe(startEvent(run, sources).run.runId);
    expect(ended.run.facets.driftloop_training).toMatchObject({ version: '2', status: 'rejected' });
    expect(ended.outputs).toMatchObject([
      {
        ...{ namespace: 's3://b', name: 'p/churn/datasets/d/rows.parquet' },
        facets: { version: { datasetVersion: 'd' } },
      },
      {
        ...{ namespace: 's3://b', name: 'p/churn/versions/r/model-1' },
        facets: { version: { datasetVersion: 'c' } },
      },
    ]);
  });

  it('say why a training failed', () => {
    const training = { datasetId: '', trainer: '', seed: 0 };
    const outcome = { kind: 'failed', reason: 'exit code 1', training } as const;
    const failed = endEvent(run, outcome, endedAtMs, sources);
    expect(failed.eventType).toBe('FAIL');
    expect(failed.run.facets).toMatchObject({ errorMessage: { message: 'exit code 1' } });
  });

  it('have a UUID of version 8 for a run', () => {
    expect(uuidOf('0123456789abcdef0123456789abcdef')).toBe('01234567-89ab-8def-8123-456789abcdef');
  });
});

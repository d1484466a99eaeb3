import { describe, expect, it } from 'vitest';
import type { JudgedVersion } from '../../../services/retrainer/artifacts/runResult.ts';
import {
  endedRun,
  nothingTrained,
  orFailed,
  type RunStart,
} from '../../../services/retrainer/run/runOutcome.ts';
import { openArtifactStore } from '../../../services/shared/artifacts/openArtifactStore.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const run: RunStart = {
  runId: 'run',
  modelFolder: '/artifacts/churn',
  artifacts: openArtifactStore('/artifacts/churn'),
  revision: 3,
  cause: { type: 'manual', id: 'request', model: 'churn' },
  settings: parseSettings('', 'test').of('churn'),
  championVersion: '1',
  change: { atMs: 500, lossBefore: 0.2 },
  rowsSinceChange: 300,
  marginUsed: 0,
  startedAtMs: 1_000,
};
const training = { datasetId: 'abcdef0123', trainer: 'driftloop 1', seed: 0xabcdef0 };
const started = {
  id: 'run',
  revision: 4,
  cause: run.cause,
  championVersion: '1',
  candidateVersion: '',
  rowsSinceChange: 300,
  metrics: {},
  startedAtMs: 1_000,
  finishedAtMs: 2_000,
};

describe('endedRun', () => {
  it('has the dataset, trainer and seed of a failed run, and none for a skipped run', () => {
    const failed = { kind: 'failed', reason: 'x'.repeat(3_000), training } as const;
    expect(endedRun(run, failed, 4, 2_000)).toEqual({
      ...started,
      ...training,
      status: 'failed',
      reasons: ['x'.repeat(2_000)],
    });
    expect(
      endedRun(run, { kind: 'skipped', reasons: ['Too few.'], rowsTried: 0 }, 4, 2_000),
    ).toEqual({
      ...started,
      ...nothingTrained,
      status: 'skipped',
      reasons: ['Too few.'],
      rowsSinceChange: 0,
    });
  });

  it('has the published fields of a judged version, even if another process judged it', () => {
    const version = {
      version: '3',
      status: 'rejected',
      reasons: ['Worse.'],
      metrics: { gateRows: 50 },
      championVersion: '2',
      datasetId: training.datasetId,
      codeVersion: training.trainer,
    } as unknown as JudgedVersion;
    expect(endedRun(run, { kind: 'judged', version }, 4, 2_000)).toEqual({
      ...started,
      ...training,
      status: 'rejected',
      reasons: ['Worse.'],
      metrics: { gateRows: 50 },
      championVersion: '2',
      candidateVersion: '3',
    });
  });
});

describe('orFailed', () => {
  const failing = (error: Error) =>
    orFailed(training, async () => {
      throw error;
    });

  it('turns errors of the file system into a failed outcome', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    expect(await failing(full)).toEqual({
      kind: 'failed',
      reason:
        'The folder of artifacts cannot be used (DRIFTLOOP_ARTIFACTS): ENOSPC: no space left on device',
      training,
    });
  });

  it('passes on all other errors', async () => {
    await expect(failing(new TypeError('a mistake'))).rejects.toThrow('a mistake');
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    await expect(failing(refused)).rejects.toThrow('connect');
  });
});

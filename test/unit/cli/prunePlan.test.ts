import { describe, expect, it } from 'vitest';
import {
  type KeptArtifacts,
  type KeptDataset,
  type KeptVersion,
  prunePlan,
} from '../../../bin/versions/prunePlan.ts';
import { dayMs } from '../../../services/shared/duration.ts';

const nowMs = Date.UTC(2026, 5, 1);

function version(name: string, state: string, daysAgo: number, fields: Partial<KeptVersion> = {}) {
  return {
    ...{ model: 'churn', version: name, state, sinceMs: nowMs - daysAgo * dayMs, aliases: [] },
    ...{ datasetId: `rows ${name}`, artifactUri: `/a/${name}`, artifactChecksum: '' },
    ...fields,
  };
}

function dataset(name: string, daysAgo: number): KeptDataset {
  const id = `rows ${name}`;
  return {
    model: 'churn',
    id,
    uri: `/d/${name}`,
    checksum: '',
    createdAtMs: nowMs - daysAgo * dayMs,
  };
}

function removed(
  kept: Partial<KeptArtifacts>,
  retention: { keep?: number; olderThanMs?: number } = {},
) {
  const plan = prunePlan(
    { versions: [], datasets: [], runsSinceMs: new Map(), ...kept },
    { keep: 1, olderThanMs: null, ...retention },
    nowMs,
  );
  return {
    versions: plan.versions.filter(one => one.remove).map(({ of }) => of.version),
    datasets: plan.datasets.filter(one => one.remove).map(({ of }) => of.id),
    reasons: plan.versions.map(({ reason }) => reason),
  };
}

describe('prunePlan', () => {
  it('keeps what an alias names or what waits, however old, with its dataset', () => {
    const versions = [
      version('9', 'champion', 900, { aliases: ['champion'] }),
      version('8', 'superseded', 900, { aliases: ['previous'] }),
      version('7', 'superseded', 901),
      version('6', 'superseded', 902),
      version('5', 'waiting_for_approval', 903),
      version('4', 'candidate', 904),
      version('3', 'a state of tomorrow', 905),
    ];
    const datasets = versions.map(({ version: name }) => dataset(name, 950));
    expect(removed({ versions, datasets })).toMatchObject({
      versions: ['7', '6'],
      datasets: ['rows 7', 'rows 6'],
    });
  });

  it('keeps as many former champions as wanted, and as many others', () => {
    const versions = [
      version('9', 'rejected', 1),
      version('8', 'superseded', 2),
      version('7', 'rolled_back', 3),
      version('6', 'superseded', 4),
      version('5', 'rejected', 5),
      version('4', 'superseded', 6),
      version('3', 'superseded', 1, { model: 'fraud' }),
    ];
    expect(removed({ versions }, { keep: 2 }).versions).toEqual(['5', '4']);
    const { reasons } = removed({ versions }, { keep: 2, olderThanMs: 6 * dayMs });
    expect(reasons).toContain('It is rejected, but not for 6 d yet (--older-than).');
    expect(reasons).toContain('It is superseded, and none of the newest 2 that have served.');
  });

  it('keeps a dataset that a kept version shares, or that a training may be using', () => {
    const versions = [
      version('2', 'rejected', 1),
      version('1', 'rejected', 2),
      version('0', 'rejected', 3, { datasetId: 'rows 2' }),
    ];
    const datasets = [dataset('2', 5), dataset('1', 5), dataset('failed', 3), dataset('new', 0.01)];
    expect(removed({ versions, datasets })).toMatchObject({
      versions: ['1', '0'],
      datasets: ['rows 1', 'rows failed'],
    });
    const runsSinceMs = new Map([['churn', nowMs - 4 * dayMs]]);
    expect(removed({ versions, datasets, runsSinceMs }).datasets).toEqual(['rows 1']);
  });
});

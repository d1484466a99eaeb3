import { describe, expect, it } from 'vitest';
import { comparedVersions, figuresNote } from '../../../bin/versions/comparedVersions.ts';
import { metricCondition } from '../../../bin/versions/metricCondition.ts';
import type { VersionRow } from '../../../bin/versions/versionQueries.ts';

describe('metricCondition', () => {
  it.each([
    ['challengerLoss<0.2', { metric: 'challengerLoss', operator: '<', value: 0.2 }],
    [' gateRows >= 1e3 ', { metric: 'gateRows', operator: '>=', value: 1000 }],
    ['difference=-0.5', { metric: 'difference', operator: '=', value: -0.5 }],
    ['challengerLoss', null],
    ['challengerLoss<low', null],
    ['challengerLoss<', null],
    ['<0.2', null],
  ])('reads %j', (text, condition) => {
    expect(metricCondition(text)).toEqual(condition);
  });
});

describe('comparedVersions', () => {
  const version = (fields: Partial<VersionRow>): VersionRow => ({
    ...{ model: 'churn', version: '3', state: 'champion', aliases: [], since: '', reason: '' },
    ...{ changedBy: '', judgedAt: null, championVersion: null, causeType: null, causeId: null },
    ...{ driftCause: null, runId: null, trainer: null, datasetId: null, datasetRows: null },
    ...{ datasetFrom: null, datasetTo: null, features: [], metrics: {}, reasons: [] },
    ...{ artifactUri: null, artifactChecksum: null },
    ...fields,
  });

  it('names what only one of the versions has', () => {
    const rows = comparedVersions(
      version({ features: ['age', 'city'], metrics: { championLoss: 0.2 } }),
      version({ features: ['age', 'plan'], datasetRows: 2000 }),
    );
    expect(rows.filter(({ first, second }) => first !== second)).toEqual([
      { property: 'datasetRows', first: null, second: '2000' },
      { property: 'other features', first: 'city', second: 'plan' },
      { property: 'championLoss', first: '0.2', second: null },
    ]);
  });

  it('says whether the figures are of the same rows', () => {
    const judged = version({ datasetId: 'a' });
    expect(figuresNote(judged, judged)).toBe('Both were judged on the same rows.');
    expect(figuresNote(judged, version({ datasetId: 'b' }))).toMatch(/^They were judged on diff/);
    expect(figuresNote(version({}), version({}))).toMatch(/^They were judged on different rows/);
  });
});

import { expect, it } from 'vitest';
import type { JudgedVersion } from '../../../services/retrainer/artifacts/runResult.ts';
import type { DatasetRow } from '../../../services/retrainer/dataset/dataset.ts';
import { type CardFacts, modelCard } from '../../../services/retrainer/run/modelCard.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';

const rows = [0, 1, 2, 3].map(day => ({ eventTimeMs: Date.UTC(2026, 0, 1 + day) }));
const range = (start: number, end: number) => ({ start, end });
const facts: CardFacts = {
  run: {
    cause: { type: 'drift_event', id: 'e1', model: 'churn' },
    championVersion: '3',
    change: { atMs: Date.UTC(2026, 0, 3), lossBefore: null },
    settings: parseSettings('defaults: { segments: [country] }', 'test').of('churn'),
  },
  snapshot: {
    id: 'd1',
    rows: rows as DatasetRow[],
    split: { train: range(0, 2), select: range(2, 3), gate: range(3, 4) },
    meaning: { task: 'binary' } as CardFacts['snapshot']['meaning'],
    features: [{ name: 'a|b', type: 'number' }] as CardFacts['snapshot']['features'],
    uri: 's3://b/rows.parquet',
    checksum: 'c1',
  },
  training: { datasetId: 'd1', trainer: 'driftloop 1', seed: 7 },
  candidate: { trainRows: { name: 'since_change', range: range(1, 2), drawn: null } },
  version: {
    ...{ model: 'churn', version: '4', status: 'approved', runId: 'r1', artifactUri: 's3://b/m' },
    ...{ artifactChecksum: 'c2', time: Date.UTC(2026, 1, 1) },
    reasons: ['Comparison: passed. The error\nrate is 0.1.', 'Verdict: promote.'],
    metrics: { challengerLoss: 0.1, intervalLow: 0.02, intervalHigh: 0.3 },
  } as unknown as JudgedVersion,
};

it('states what the run knows, and says of everything else that it is not stated', () => {
  const card = modelCard(facts);
  const section = (heading: string) => card.split(`## ${heading}\n\n`)[1]!.split('\n\n## ')[0];
  expect(card).toMatch(/^# Model card: churn, version 4\n/);
  for (const line of [
    '- Trainer: driftloop 1',
    '- Seed: 7',
    '- Because: drift event e1',
    '- Dataset: d1',
    '- Segments that are judged by themselves: country',
    '- Rows: 4 labelled rows: 2 to fit, 1 to choose, 1 to judge',
    '- Period: 2026-01-01T00:00:00.000Z to 2026-01-04T00:00:00.000Z (event time)',
    '- Compared with: version 3, on the same rows',
    '| intervalLow | 0.02 |',
    '| a\\|b | number |',
    '- Comparison: passed. The error rate is 0.1.',
  ])
    expect(card.split('\n')).toContain(line);
  expect(section('Ethical considerations')).toBe('**Not stated.**');
  expect(section('Intended use')).toBe(
    ['Primary uses', 'Primary users', 'Uses out of scope']
      .map(name => `- ${name}: **Not stated.**`)
      .join('\n'),
  );
  expect(card).not.toMatch(/undefined|null|NaN/);
});

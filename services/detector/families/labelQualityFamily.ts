import { type Comparison, minReferenceBlocks, pooledCounts } from '../reference/comparison.ts';
import { labelsKey } from '../significance/streamHistory.ts';
import { changedLabels } from './changedValues.ts';
import { evidenceOf, quoted } from './evidence.ts';
import { qualityResult } from './qualityFamily.ts';
import { vanishedTest } from './qualityTests.ts';
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';

/** Tests whether the labels have stopped to name one of the classes. */
export const labelQualityFamily: TestFamily = {
  name: 'label_quality',
  question: 'Do the labels no longer name a class that they named before?',
  metrics: { vanished_rate: 'share that a class had of the labels of the reference and now lacks' },
  cause: 'data_quality',
  keepsHistory: false,
  hasData: ({ reference }) =>
    reference.labelledBlocks >= minReferenceBlocks &&
    (reference.performance?.labelCounts.size ?? 0) > 1,
  test: testLabelQuality,
};

function testLabelQuality(
  comparison: Comparison,
  { stream, level }: FamilyContext,
): FamilyResult | null {
  const { recent, reference, referenceBlocks, scale } = comparison;
  if (!recent.performance || !reference.performance) return null;
  const names = [...reference.performance.labelCounts.keys()].sort();
  const vector = (counts: ReadonlyMap<string, number>) => names.map(name => counts.get(name) ?? 0);
  const test = vanishedTest(
    {
      feature: 'the label',
      noiseWeight: stream.of(labelsKey).noiseWeight,
      nameOf: bin => quoted(names[bin]!),
      changed: () => changedLabels(comparison),
    },
    vector(reference.performance.labelCounts),
    vector(recent.performance.labelCounts),
    () =>
      pooledCounts(referenceBlocks, scale, ({ performance }) =>
        performance && performance.labelled > 0 ? vector(performance.labelCounts) : null,
      ),
  );
  if (!test.isReported) return null;
  const changed = test.notable!.logPValue <= Math.log(level);
  const { name: family } = labelQualityFamily;
  const judged = { family, scale, familyLevel: level, level, changed };
  const result = {
    ...qualityResult(test, { ...judged, kind: 'performance' }),
    feature: '',
  };
  const { large, describe } = test.notable!;
  return {
    results: [result],
    measured: new Map(),
    logPValue: 0,
    evidence: changed ? evidenceOf(result, { large, ...describe() }) : null,
  };
}

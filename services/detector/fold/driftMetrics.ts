import type { TestResult } from '../families/testResult.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import { distanceMetrics } from './distanceMetrics.ts';
import type { DriftMetric } from './driftMetric.ts';
import type { FoldContext, FoldState, JudgedBlock } from './foldState.ts';

/**
 * Returns all metrics of a window, which was judged with the state before it.
 *
 * Distances (PSI, Jensen-Shannon and others) compare the window with the version's first reference.
 * They answer whether the stream is still like that. Results of tests compare it with the present
 * regime. They answer whether the stream has just changed, and are the results that the verdict was
 * made from.
 *
 * Each metric of a variable has one row. Its scale is the one that decided, or else the one at
 * which the metric came nearest to its threshold by its p-value.
 */
export function driftMetrics(
  before: FoldState,
  { observation, reference, tests }: JudgedBlock,
  { detection }: FoldContext,
): DriftMetric[] {
  const decidingScales = new Map(tests.evidence.map(({ family, scale }) => [family, scale]));
  const rank = (result: TestResult) =>
    result.changed ? (decidingScales.get(result.family) === result.scale ? 2 : 1) : 0;
  const shown = new Map<string, TestResult>();
  for (const result of tests.results) {
    const key = `${result.kind}/${result.metric}/${result.feature}`;
    const known = shown.get(key);
    const tellsMore =
      !known ||
      rank(result) > rank(known) ||
      (rank(result) === rank(known) && result.logPValue < known.logPValue);
    if (tellsMore) shown.set(key, result);
  }
  const ofTests = Array.from(shown.values(), result =>
    metricOf(result, reference, tests.withheld.get(result.family) ?? ''),
  );
  return [...distanceMetrics(before.versionReference, observation, detection), ...ofTests].filter(
    ({ value }) => Number.isFinite(value),
  );
}

function metricOf(result: TestResult, reference: ReferenceSource, withheld: string): DriftMetric {
  const { family, kind, feature, metric, scale, value, referenceValue, level, cycle } = result;
  const { records, referenceRecords, noiseWeight, changed } = result;
  const { pValue, threshold, overdispersion } = result.detail();
  return {
    family,
    kind,
    feature,
    metric,
    value,
    referenceValue,
    // The threshold is infinite while the stream has too little history for any alarm.
    threshold: Number.isFinite(threshold) ? threshold : null,
    pValue,
    level,
    records,
    referenceRecords,
    reference,
    cycle,
    scale,
    overdispersion,
    noiseWeight,
    reason: changed ? withheld : '',
  };
}

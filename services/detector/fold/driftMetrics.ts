import type { TestResult } from '../families/testResult.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import type { Folded } from './detector.ts';
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
 */
export function driftMetrics(
  before: FoldState,
  { observation, judged, judgedTruth }: Pick<Folded, 'observation' | 'judged' | 'judgedTruth'>,
  { detection }: FoldContext,
): DriftMetric[] {
  const distances = judged.some(({ windowsPerBlock }) => windowsPerBlock === 1)
    ? distanceMetrics(before.inputs.versionReference, observation, detection)
    : [];
  return [
    ...distances.filter(({ value }) => Number.isFinite(value)),
    ...resultMetrics(judged),
    ...resultMetrics(judgedTruth),
  ];
}

/**
 * Returns the results of the tests of some blocks. Each metric of a variable has one row. Its scale
 * is the one that decided, or else the one at which the metric came nearest to its threshold by its
 * p-value.
 */
export function resultMetrics(judged: readonly JudgedBlock[]): DriftMetric[] {
  const shown = new Map<string, ShownResult>();
  for (const { windowsPerBlock, reference, tests } of judged) {
    const decidingScales = new Map(tests.evidence.map(({ family, scale }) => [family, scale]));
    for (const result of tests.results) {
      const key = `${result.kind}/${result.metric}/${result.feature}`;
      const known = shown.get(key);
      const decides = decidingScales.get(result.family) === result.scale;
      const rank = result.changed ? (decides ? 2 : 1) : 0;
      const nearness = result.logPValue / Math.log(result.level);
      const tellsMore =
        !known || rank > known.rank || (rank === known.rank && nearness > known.nearness);
      const reason = tests.withheld.get(result.family) ?? '';
      if (tellsMore) shown.set(key, { result, rank, nearness, windowsPerBlock, reference, reason });
    }
  }
  return Array.from(shown.values(), metricOf).filter(({ value }) => Number.isFinite(value));
}

interface ShownResult {
  result: TestResult;
  /** 2 if it decided on a drift, 1 if it says "changed", 0 if it does not. */
  rank: number;
  /** ln p / ln level. */
  nearness: number;
  windowsPerBlock: number;
  reference: ReferenceSource;
  reason: string;
}

function metricOf({ result, windowsPerBlock, reference, reason }: ShownResult): DriftMetric {
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
    scale: scale * windowsPerBlock,
    overdispersion,
    noiseWeight,
    reason: changed ? reason : '',
  };
}

import { sum } from 'simple-statistics';
import { chiSquared } from '../../shared/statistics/chiSquared.ts';
import { chiSquaredThreshold } from '../../shared/statistics/chiSquaredThreshold.ts';
import type { DistanceSignificance } from '../../shared/statistics/distanceSignificance.ts';
import {
  jensenShannonDistance,
  jensenShannonSignificance,
} from '../../shared/statistics/jensenShannonDistance.ts';
import { kolmogorovSmirnov } from '../../shared/statistics/kolmogorovSmirnov.ts';
import { lInfinityDistance } from '../../shared/statistics/lInfinityDistance.ts';
import {
  populationStabilityIndex,
  populationStabilitySignificance,
} from '../../shared/statistics/populationStabilityIndex.ts';
import {
  rateIncreaseLogPValue,
  rateIncreaseThreshold,
  rateOf,
} from '../../shared/statistics/rateIncrease.ts';
import { wassersteinDistance } from '../../shared/statistics/wassersteinDistance.ts';
import { countBlock } from '../blocks/block.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { countVariable } from '../blocks/variableCounts.ts';
import {
  type VariableKind,
  variableKey,
  type WindowObservation,
} from '../blocks/windowObservation.ts';
import {
  qualityMetrics,
  qualityRate,
  rateOverdispersion,
  smallestIncrease,
  toleratedRate,
} from '../families/dataQualityFamily.ts';
import {
  changeOf,
  dependenceThreshold,
  hasDependence,
  judgeDependence,
  measureDependence,
} from '../families/dependenceTest.ts';
import { distributionFamilies, stronger, testVariables } from '../families/distributionFamily.ts';
import {
  type DistributionTest,
  distributionThreshold,
  validCounts,
} from '../families/distributionTest.ts';
import { errorTest, errorThreshold } from '../families/errorFamily.ts';
import { levelPerTest } from '../families/familyTests.ts';
import { labelTest } from '../families/labelFamily.ts';
import type { Comparison } from '../reference/comparison.ts';
import type {
  ReferenceSource,
  Regime,
  VersionReference,
  VersionVariable,
} from '../reference/reference.ts';
import type { TestSignificance } from '../significance/bestTest.ts';
import { errorKey, labelsKey } from '../significance/streamHistory.ts';
import { type StreamSignificance, streamSignificance } from '../significance/streamSignificance.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import { comparisonsOf, type FoldContext, type FoldState, pendingBlock } from './detector.ts';

/** One number for one feature in one window: a row of drift_metrics. */
export interface DriftMetric {
  kind: VariableKind | 'performance';
  /** Empty for performance. */
  feature: string;
  metric: string;
  value: number;
  threshold: number | null;
  pValue: number | null;
  records: number;
  referenceRecords: number;
  reference: ReferenceSource;
  scale: number;
  overdispersion: number | null;
}

/**
 * All metrics of a window, given the state *before* it was folded; none while it cannot carry a test.
 *
 * Distances (PSI, Jensen-Shannon …) compare it with the version's first reference: is the stream still like that?
 * Tests (likelihood ratio, rates, error) compare it with the present regime, as the verdict does: did it just change?
 */
export function windowMetrics(
  state: FoldState,
  window: WindowObservation,
  context: FoldContext,
): DriftMetric[] {
  const observation = pendingBlock(state, window);
  if (!state.regime || observation.records < context.detection.minimumRecords) return [];
  const comparisons = comparisonsOf(state, countBlock(observation, state.regime));
  return [
    ...distanceMetrics(state.versionReference, observation, context),
    ...testMetrics(state.regime, comparisons, streamSignificance(state.history), context),
  ].filter(({ value }) => Number.isFinite(value));
}

/**
 * Thresholds are those that one kind of distance exceeds by chance in as many windows as may alarm falsely, over all variables of a kind
 * together (Bonferroni), where records are independent.
 */
function distanceMetrics(
  versionReference: VersionReference,
  observation: WindowObservation,
  { detection }: FoldContext,
): DriftMetric[] {
  const variables = [...versionReference.values()];
  const ofKind = Map.groupBy(variables, ({ frozen }) => frozen.kind);
  const budget = detection.falseAlarmsPerThousandWindows / 1000;
  return variables.flatMap(variable =>
    distancesOf(variable, observation, budget / ofKind.get(variable.frozen.kind)!.length),
  );
}

function distancesOf(
  { frozen, profile, counts, source }: VersionVariable,
  observation: WindowObservation,
  level: number,
): DriftMetric[] {
  const observed = observation.variables.get(variableKey(frozen.kind, frozen.name))?.profile;
  const recent = validCounts(frozen, countVariable(frozen, observed, observation.records).counts);
  const reference = validCounts(frozen, counts);
  const records = sum(recent);
  if (!observed || records === 0) return [];
  const metric = (
    name: string,
    value: number,
    significance: DistanceSignificance | null,
  ): DriftMetric => ({
    kind: frozen.kind,
    feature: frozen.name,
    metric: name,
    value,
    threshold: significance?.thresholdAt(level) ?? null,
    pValue: significance?.pValue ?? null,
    records,
    referenceRecords: sum(reference),
    reference: source,
    scale: 1,
    overdispersion: null,
  });
  const index = populationStabilityIndex(reference, recent);
  const jensenShannon = jensenShannonDistance(reference, recent);
  const both = [
    metric('psi', index, populationStabilitySignificance(reference, recent, index)),
    metric(
      'jensen_shannon',
      jensenShannon,
      jensenShannonSignificance(reference, recent, jensenShannon),
    ),
  ];
  if (frozen.type === 'categorical') {
    const { statistic, degreesOfFreedom, pValue } = chiSquared(reference, recent);
    const thresholdAt = (ofLevel: number) => chiSquaredThreshold(degreesOfFreedom, ofLevel);
    const { distance, significance } = lInfinityDistance(reference, recent);
    return [
      ...both,
      metric('chi_squared', statistic, degreesOfFreedom > 0 ? { pValue, thresholdAt } : null),
      metric('l_infinity', distance, significance),
    ];
  }
  const { statistic, significance } = kolmogorovSmirnov(profile.numeric, observed.numeric);
  const wasserstein = wassersteinDistance(profile.numeric, observed.numeric);
  return [
    ...both,
    metric('kolmogorov_smirnov', statistic, significance),
    ...(wasserstein.normalized === null
      ? []
      : [metric('wasserstein', wasserstein.normalized, wasserstein.significance)]),
  ];
}

function testMetrics(
  regime: Regime,
  comparisons: readonly Comparison[],
  stream: StreamSignificance,
  context: FoldContext,
): DriftMetric[] {
  const [latest] = comparisons;
  if (!latest) return [];
  const { frozen } = regime;
  const pairs = regime.pairs ?? [];
  const level = levelPerTest(latest, { frozen, pairs, detection: context.detection });
  return [
    ...distributionMetrics(regime, comparisons, stream, 'feature', level),
    ...distributionMetrics(regime, comparisons, stream, 'output', level),
    ...[...frozen].flatMap(([key, variable]) =>
      rateMetrics(regime, latest, stream.of(key), key, variable, level),
    ),
    ...dependenceMetrics(regime, comparisons, stream, level),
    ...labelMetric(regime, comparisons, stream, context, level),
    ...errorMetric(regime, comparisons, stream, context, level),
  ];
}

/** Of each test at its most significant scale; p-value and threshold before Simes' correction. */
function distributionMetrics(
  { frozen, source }: Regime,
  comparisons: readonly Comparison[],
  stream: StreamSignificance,
  kind: VariableKind,
  level: number,
): DriftMetric[] {
  const all = comparisons.flatMap(comparison => {
    const { tested } = testVariables(comparison, frozen, kind, stream);
    return tested.flatMap(({ name, tests }) => {
      const shareOfLevel = 1 / tests.length / tested.length;
      return tests.map(test => ({ ...test, name, comparison, shareOfLevel }));
    });
  });
  const ofMetric = Map.groupBy(all, ({ metric, name }) => `${metric}/${name}`);
  return Array.from(ofMetric.values(), tests => {
    const { name, metric, comparison, test, noiseWeight, shareOfLevel } = tests.reduce(stronger);
    const { scale } = comparison;
    const needed = levelOfFamily(
      stream.tail(distributionFamilies[kind], scale),
      scale,
      noiseWeight,
      level,
    );
    return {
      kind,
      feature: name,
      ...distributionMetric({ comparison, test }, metric, source, needed * shareOfLevel),
    };
  });
}

function mostSignificant<T extends { logPValue: number }>(
  comparisons: readonly Comparison[],
  testOf: (comparison: Comparison) => T | null,
): { comparison: Comparison; test: T } | null {
  let strongest: { comparison: Comparison; test: T } | null = null;
  for (const comparison of comparisons) {
    const test = testOf(comparison);
    if (test && (!strongest || test.logPValue < strongest.test.logPValue))
      strongest = { comparison, test };
  }
  return strongest;
}

function distributionMetric(
  { comparison, test }: { comparison: Comparison; test: DistributionTest },
  metric: string,
  reference: ReferenceSource,
  level: number,
): Omit<DriftMetric, 'kind' | 'feature'> {
  return {
    metric,
    value: test.statistic,
    threshold: finite(test.degreesOfFreedom > 0 ? distributionThreshold(test, level) : null),
    pValue: test.pValue,
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    reference,
    scale: comparison.scale,
    overdispersion: test.overdispersion,
  };
}

/** No statistic is large enough while the stream has too little history. */
function finite(threshold: number | null): number | null {
  return threshold !== null && Number.isFinite(threshold) ? threshold : null;
}

function rateMetrics(
  { frozen, source }: Regime,
  comparison: Comparison,
  significance: TestSignificance,
  key: string,
  variable: FrozenVariable,
  level: number,
): DriftMetric[] {
  const recentSums = comparison.recent.variables.get(key);
  const referenceSums = comparison.reference.variables.get(key);
  if (!recentSums || !referenceSums || referenceSums.blocks === 0) return [];
  const metrics = qualityMetrics(variable);
  const ofKind = [...frozen.values()].filter(({ kind }) => kind === variable.kind).length;
  const tested = ofKind * (metrics.length + 1);
  return metrics.map(metric => {
    const recent = qualityRate(variable, recentSums, metric);
    const reference = qualityRate(variable, referenceSums, metric);
    const tolerated = toleratedRate(reference);
    const overdispersion = rateOverdispersion(comparison, key, variable, metric);
    return {
      kind: variable.kind,
      feature: variable.name,
      metric,
      value: rateOf(recent),
      threshold: Math.max(
        rateIncreaseThreshold(tolerated, recent.total, overdispersion, level / tested),
        rateOf(reference) + smallestIncrease(metric, significance),
      ),
      pValue: Math.exp(rateIncreaseLogPValue(tolerated, recent, overdispersion)),
      records: recent.total,
      referenceRecords: reference.total,
      reference: source,
      scale: 1,
      overdispersion,
    };
  });
}

/** Of each pair at its most significant scale; p-value and threshold before Simes' correction. */
function dependenceMetrics(
  { pairs, source }: Regime,
  comparisons: readonly Comparison[],
  stream: StreamSignificance,
  level: number,
): DriftMetric[] {
  if (pairs === null) return [];
  return pairs.flatMap((pair, index) => {
    const significance = stream.of(pair.key);
    const strongest = mostSignificant(comparisons, comparison => {
      const measured = hasDependence(comparison, pairs)
        ? measureDependence(comparison, pair, index)
        : null;
      return measured && judgeDependence(measured, comparison, significance);
    });
    if (!strongest) return [];
    const { test, comparison } = strongest;
    const { scale } = comparison;
    const needed = levelOfFamily(
      stream.tail('dependence', scale),
      scale,
      significance.noiseWeight,
      level,
    );
    return [
      {
        kind: 'feature' as const,
        feature: pair.names.join(' × '),
        metric: 'correlation_change',
        value: changeOf(test),
        threshold: finite(dependenceThreshold(test, needed / pairs.length)),
        pValue: test.pValue,
        records: test.records,
        referenceRecords: test.referenceRecords,
        reference: source,
        scale,
        overdispersion: test.overdispersion,
      },
    ];
  });
}

function labelMetric(
  { source }: Regime,
  comparisons: readonly Comparison[],
  stream: StreamSignificance,
  { detection }: FoldContext,
  level: number,
): DriftMetric[] {
  const significance = stream.of(labelsKey);
  const strongest = mostSignificant(comparisons, comparison =>
    labelTest(comparison, detection.minimumRecords, significance),
  );
  if (!strongest) return [];
  const { scale } = strongest.comparison;
  const needed = levelOfFamily(
    stream.tail('labels', scale),
    scale,
    significance.noiseWeight,
    level,
  );
  return [
    {
      kind: 'performance',
      feature: '',
      ...distributionMetric(strongest, 'likelihood_ratio', source, needed),
    },
  ];
}

function errorMetric(
  { source }: Regime,
  comparisons: readonly Comparison[],
  stream: StreamSignificance,
  { detection }: FoldContext,
  level: number,
): DriftMetric[] {
  const significance = stream.of(errorKey);
  const strongest = mostSignificant(comparisons, comparison =>
    errorTest(comparison, detection, significance),
  );
  if (!strongest) return [];
  const { comparison, test } = strongest;
  const { scale } = comparison;
  const needed = levelOfFamily(stream.tail('error', scale), scale, significance.noiseWeight, level);
  return [
    {
      kind: 'performance',
      feature: '',
      metric: 'error',
      value: test.value,
      threshold: finite(errorThreshold(test, needed)),
      pValue: test.pValue,
      records: test.records,
      referenceRecords: Math.round(test.referenceRecords),
      reference: source,
      scale,
      overdispersion: test.overdispersion,
    },
  ];
}

import { sum } from 'simple-statistics';
import { chiSquared } from '../shared/statistics/chiSquared.ts';
import { jensenShannonDistance } from '../shared/statistics/jensenShannonDistance.ts';
import { kolmogorovSmirnov } from '../shared/statistics/kolmogorovSmirnov.ts';
import { populationStabilityIndex } from '../shared/statistics/populationStabilityIndex.ts';
import { wassersteinDistance } from '../shared/statistics/wassersteinDistance.ts';
import { countBlock } from './block.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import type { Comparison } from './comparison.ts';
import { qualityMetrics, qualityRate, rateOverdispersion, smallestRateIncrease } from './dataQualityFamily.ts';
import { comparisonsOf, type FoldContext, type FoldState, pendingBlock } from './detector.ts';
import { type DistributionTest, distributionTest, validCounts } from './distributionTest.ts';
import { errorTest } from './errorFamily.ts';
import { levelPerTest } from './familyTests.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { labelTest } from './labelFamily.ts';
import { rateIncreaseLogPValue, rateIncreaseThreshold, rateOf } from './rateIncrease.ts';
import type { ReferenceSource, Regime, VersionVariable } from './reference.ts';
import { countVariable } from './variableCounts.ts';
import { type VariableKind, variableKey, type WindowObservation } from './windowObservation.ts';

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
export function windowMetrics(state: FoldState, window: WindowObservation, context: FoldContext): DriftMetric[] {
  const observation = pendingBlock(state, window);
  if (!state.regime || observation.records < context.detection.minimumRecords) return [];
  const comparisons = comparisonsOf(state, countBlock(observation, state.regime.frozen));
  return [
    ...[...state.versionReference.values()].flatMap(variable => distanceMetrics(variable, observation)),
    ...testMetrics(state.regime, comparisons, context),
  ].filter(({ value }) => Number.isFinite(value));
}

function distanceMetrics(
  { frozen, profile, counts, source }: VersionVariable,
  observation: WindowObservation,
): DriftMetric[] {
  const observed = observation.variables.get(variableKey(frozen.kind, frozen.name))?.profile;
  const recent = validCounts(frozen, countVariable(frozen, observed, observation.records).counts);
  const reference = validCounts(frozen, counts);
  const records = sum(recent);
  if (!observed || records === 0) return [];
  const metric = (name: string, value: number | null, pValue: number | null = null): DriftMetric[] =>
    value === null
      ? []
      : [
          {
            kind: frozen.kind,
            feature: frozen.name,
            metric: name,
            value,
            threshold: null,
            pValue,
            records,
            referenceRecords: sum(reference),
            reference: source,
            scale: 1,
            overdispersion: null,
          },
        ];
  const both = [
    ...metric('psi', populationStabilityIndex(reference, recent)),
    ...metric('jensen_shannon', jensenShannonDistance(reference, recent)),
  ];
  if (frozen.type === 'categorical') {
    const { statistic, pValue } = chiSquared(reference, recent);
    return [...both, ...metric('chi_squared', statistic, pValue)];
  }
  const { statistic, pValue } = kolmogorovSmirnov(profile.numeric, observed.numeric);
  return [
    ...both,
    ...metric('kolmogorov_smirnov', statistic, pValue),
    ...metric('wasserstein', wassersteinDistance(profile.numeric, observed.numeric).normalized),
  ];
}

function testMetrics(regime: Regime, comparisons: readonly Comparison[], context: FoldContext): DriftMetric[] {
  const [latest] = comparisons;
  if (!latest) return [];
  const { frozen } = regime;
  const level = levelPerTest(latest, { frozen, detection: context.detection });
  return [
    ...[...frozen].flatMap(([key, variable]) => [
      ...likelihoodRatioMetric(regime, comparisons, key, variable, level),
      ...rateMetrics(regime, latest, key, variable, level),
    ]),
    ...labelMetric(regime, comparisons, context, level),
    ...errorMetric(regime, comparisons, context, level),
  ];
}

/** At the scale that is the most significant for independent records; p-value and threshold before Simes' correction. */
function likelihoodRatioMetric(
  { frozen, source }: Regime,
  comparisons: readonly Comparison[],
  key: string,
  variable: FrozenVariable,
  level: number,
): DriftMetric[] {
  const strongest = mostSignificant(comparisons, comparison => distributionTest(comparison, key, variable, 0));
  if (!strongest) return [];
  const test = distributionTest(strongest, key, variable, 1)!;
  const tested = [...frozen.values()].filter(({ kind }) => kind === variable.kind).length;
  return [
    {
      kind: variable.kind,
      feature: variable.name,
      ...distributionMetric(test, strongest.scale, source, level / tested),
    },
  ];
}

function mostSignificant(
  comparisons: readonly Comparison[],
  testOf: (comparison: Comparison) => { logPValue: number } | null,
): Comparison | null {
  let strongest: { comparison: Comparison; logPValue: number } | null = null;
  for (const comparison of comparisons) {
    const test = testOf(comparison);
    if (test && (!strongest || test.logPValue < strongest.logPValue)) {
      strongest = { comparison, logPValue: test.logPValue };
    }
  }
  return strongest?.comparison ?? null;
}

function distributionMetric(
  { statistic, degreesOfFreedom, pValue, overdispersion, recentCounts, referenceCounts }: DistributionTest,
  scale: number,
  reference: ReferenceSource,
  level: number,
): Omit<DriftMetric, 'kind' | 'feature'> {
  return {
    metric: 'likelihood_ratio',
    value: statistic,
    threshold: degreesOfFreedom > 0 ? chiSquaredThreshold(degreesOfFreedom, level) : null,
    pValue,
    records: sum(recentCounts),
    referenceRecords: sum(referenceCounts),
    reference,
    scale,
    overdispersion,
  };
}

function rateMetrics(
  { frozen, source }: Regime,
  comparison: Comparison,
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
    const overdispersion = rateOverdispersion(comparison, key, variable, metric);
    return {
      kind: variable.kind,
      feature: variable.name,
      metric,
      value: rateOf(recent),
      threshold: rateIncreaseThreshold(reference, recent.total, overdispersion, level / tested, smallestRateIncrease),
      pValue: Math.exp(rateIncreaseLogPValue(reference, recent, overdispersion)),
      records: recent.total,
      referenceRecords: reference.total,
      reference: source,
      scale: 1,
      overdispersion,
    };
  });
}

function labelMetric(
  { source }: Regime,
  comparisons: readonly Comparison[],
  { detection }: FoldContext,
  level: number,
): DriftMetric[] {
  const strongest = mostSignificant(comparisons, comparison => labelTest(comparison, detection.minimumRecords, 0));
  if (!strongest) return [];
  const test = labelTest(strongest, detection.minimumRecords, 1)!;
  return [{ kind: 'performance', feature: '', ...distributionMetric(test, strongest.scale, source, level) }];
}

function errorMetric(
  { source }: Regime,
  comparisons: readonly Comparison[],
  { detection }: FoldContext,
  level: number,
): DriftMetric[] {
  const options = { minimumRecords: detection.minimumRecords, performanceDrop: detection.performanceDrop, level };
  const strongest = mostSignificant(comparisons, comparison => errorTest(comparison, options));
  if (!strongest) return [];
  const { value, threshold, logPValue, overdispersion, records, referenceRecords } = errorTest(strongest, options)!;
  return [
    {
      kind: 'performance',
      feature: '',
      metric: 'error',
      value,
      threshold,
      pValue: Math.exp(logPValue),
      records,
      referenceRecords,
      reference: source,
      scale: strongest.scale,
      overdispersion,
    },
  ];
}

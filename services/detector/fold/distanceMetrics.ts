import { sum } from 'simple-statistics';
import type { ModelSettings } from '../../shared/config/settings.ts';
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
import { wassersteinDistance } from '../../shared/statistics/wassersteinDistance.ts';
import { countVariable } from '../blocks/variableCounts.ts';
import { variableKey, type WindowObservation } from '../blocks/windowObservation.ts';
import { validCounts } from '../families/distributionStatistic.ts';
import type { VersionReference, VersionVariable } from '../reference/reference.ts';
import type { DriftMetric } from './driftMetric.ts';

const decidesNothing = 'A distance from the first reference is reported and decides nothing.';

/**
 * Returns the distances of a window from the first reference of its version.
 *
 * Each threshold is the distance that independent records exceed by sampling alone with the
 * probability of a false alarm per window. That budget is split over all variables of a kind
 * (Bonferroni).
 */
export function distanceMetrics(
  versionReference: VersionReference,
  observation: WindowObservation,
  detection: ModelSettings['detection'],
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
  ): DriftMetric => {
    const threshold = significance?.thresholdAt(level) ?? null;
    return {
      family: '',
      kind: frozen.kind,
      feature: frozen.name,
      metric: name,
      value,
      referenceValue: null,
      threshold,
      pValue: significance?.pValue ?? null,
      level: null,
      records,
      referenceRecords: sum(reference),
      reference: source,
      cycle: null,
      scale: 1,
      overdispersion: null,
      noiseWeight: null,
      reason: threshold !== null && value > threshold ? decidesNothing : '',
    };
  };
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

import { sum } from 'simple-statistics';
import { validCounts } from '../../shared/bins/countVector.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { viewedProfile } from '../../shared/kinds/viewedProfile.ts';
import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
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
    metricsOf(variable, observation, budget / ofKind.get(variable.frozen.kind)!.length),
  );
}

interface Distance {
  metric: string;
  value: number;
  /** null where nothing could vary. */
  significance: DistanceSignificance | null;
}

function metricsOf(
  variable: VersionVariable,
  observation: WindowObservation,
  level: number,
): DriftMetric[] {
  const { frozen, counts, source } = variable;
  const logged = observation.variables.get(variableKey(frozen.kind, frozen.name))?.profile;
  const observed = logged && viewedProfile(logged, frozen.view);
  const counted = countVariable(frozen, logged, observation);
  if (!observed || !counted || frozen.moving) return [];
  const recent = validCounts(counted.counts);
  const reference = validCounts(counts);
  const records = sum(recent);
  if (records === 0) return [];
  return distancesOf(variable, observed, reference, recent).map(
    ({ metric, value, significance }) => {
      const threshold = significance?.thresholdAt(level) ?? null;
      return {
        family: '',
        kind: frozen.kind,
        feature: frozen.name,
        metric,
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
    },
  );
}

function distancesOf(
  { frozen, profile }: VersionVariable,
  observed: FeatureProfile,
  reference: number[],
  recent: number[],
): Distance[] {
  const index = populationStabilityIndex(reference, recent);
  const divergence = jensenShannonDistance(reference, recent);
  return [
    {
      metric: 'psi',
      value: index,
      significance: populationStabilitySignificance(reference, recent, index),
    },
    {
      metric: 'jensen_shannon',
      value: divergence,
      significance: jensenShannonSignificance(reference, recent, divergence),
    },
    ...(frozen.type === 'categorical'
      ? distancesOfCategories(reference, recent)
      : distancesOfNumbers(profile.numeric, observed.numeric)),
  ];
}

function distancesOfCategories(reference: number[], recent: number[]): Distance[] {
  const { statistic, degreesOfFreedom, pValue } = chiSquared(reference, recent);
  const thresholdAt = (level: number) => chiSquaredThreshold(degreesOfFreedom, level);
  const { distance, significance } = lInfinityDistance(reference, recent);
  return [
    {
      metric: 'chi_squared',
      value: statistic,
      significance: degreesOfFreedom > 0 ? { pValue, thresholdAt } : null,
    },
    { metric: 'l_infinity', value: distance, significance },
  ];
}

function distancesOfNumbers(reference: NumericHistogram, recent: NumericHistogram): Distance[] {
  const { statistic, significance } = kolmogorovSmirnov(reference, recent);
  const { normalized, significance: ofMean } = wassersteinDistance(reference, recent);
  return [
    { metric: 'kolmogorov_smirnov', value: statistic, significance },
    ...(normalized === null
      ? []
      : [{ metric: 'wasserstein', value: normalized, significance: ofMean }]),
  ];
}

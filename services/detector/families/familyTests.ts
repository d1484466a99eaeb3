import type { ModelSettings } from '../../shared/config/settings.ts';
import type { Block } from '../blocks/block.ts';
import type { FeaturePair } from '../blocks/featurePairs.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { variableKey } from '../blocks/windowObservation.ts';
import { type Comparison, comparisonsWithinReference, scales } from '../reference/comparison.ts';
import type { OutputModel } from '../reference/outputModel.ts';
import type { Measured } from '../significance/bestTest.ts';
import type { Family } from '../significance/family.ts';
import type { Measurement } from '../significance/statisticHistory.ts';
import {
  emptyStreamHistory,
  errorKey,
  type MeasuredScale,
  ownLogOdds,
  type StreamHistory,
} from '../significance/streamHistory.ts';
import { type StreamSignificance, streamSignificance } from '../significance/streamSignificance.ts';
import { dataQualityEvidence } from './dataQualityFamily.ts';
import { testDependence } from './dependenceFamily.ts';
import { hasDependence } from './dependenceTest.ts';
import { testDistributions } from './distributionFamily.ts';
import { hasErrors, testErrors } from './errorFamily.ts';
import type { Evidence } from './evidence.ts';
import type { FamilyResult } from './familyResult.ts';
import { hasLabels, testLabels } from './labelFamily.ts';

const predictionName = 'prediction';
const predictionKey = variableKey('output', predictionName);
/** Logarithm: that of predictions which were noise for some twenty blocks, those of the reference among them. */
const oddsOfStandingStill = 6;

export type DetectionSettings = ModelSettings['detection'];

export interface TestOptions {
  frozen: ReadonlyMap<string, FrozenVariable>;
  pairs: readonly FeaturePair[];
  detection: DetectionSettings;
  /** False while the reference of further features is still being gathered. */
  newFeaturesMatter: boolean;
  /** Says what a change of the features does to the outputs. */
  outputModel: OutputModel | null;
}

/**
 * The significance level of each family at each scale: the budget of false alarms, split evenly. A family counts when
 * it can be tested, that is when the reference has its data.
 */
export function levelPerTest(
  comparison: Comparison,
  { frozen, pairs, detection }: Pick<TestOptions, 'frozen' | 'pairs' | 'detection'>,
): number {
  const kinds = new Set(Array.from(frozen.values(), ({ kind }) => kind));
  // Quality and distribution of each kind.
  const others = [hasDependence(comparison, pairs), hasErrors(comparison), hasLabels(comparison)];
  const families = 2 * kinds.size + others.filter(Boolean).length;
  return detection.falseAlarmsPerThousandWindows / 1000 / families / scales.length;
}

/** What the tests of a block found, and what they measured as history of the stream. */
export interface BlockTests {
  /** The families that say "changed", each with its most significant scale; none for a steady stream. */
  evidence: Evidence[];
  measured: MeasuredScale[];
}

export function testFamilies(
  comparisons: readonly Comparison[],
  history: StreamHistory,
  options: TestOptions,
): BlockTests {
  const stream = streamSignificance(history);
  const strongest = new Map<Family, Evidence>();
  const measured: MeasuredScale[] = [];
  for (const comparison of comparisons) {
    const level = levelPerTest(comparison, options);
    const results = resultsAt(comparison, stream, options, level);
    for (const evidence of [
      ...qualityEvidence(comparison, stream, options, level),
      ...results.map(({ evidence }) => evidence),
    ]) {
      const known = evidence && strongest.get(evidence.family);
      if (evidence && (!known || evidence.logPValue < known.logPValue))
        strongest.set(evidence.family, evidence);
    }
    measured.push(measuredAt(comparison, results));
  }
  return {
    evidence: withoutOwnLearning([...strongest.values()], measured, stream, options),
    measured,
  };
}

/** What the blocks of a reference show of how the stream varies. */
export function measureReference(blocks: readonly Block[], options: TestOptions): MeasuredScale[] {
  const stream = streamSignificance(emptyStreamHistory);
  return comparisonsWithinReference(blocks).map(comparison =>
    measuredAt(
      comparison,
      resultsAt(comparison, stream, options, levelPerTest(comparison, options)),
    ),
  );
}

function measuredAt({ scale }: Comparison, results: readonly FamilyResult[]): MeasuredScale {
  return {
    scale,
    tests: new Map(
      results.flatMap(({ tests }) =>
        Array.from(tests, ([key, measured]) => [key, onlyMeasured(measured)] as const),
      ),
    ),
    logPValues: new Map(results.map(({ family, logPValue }) => [family, logPValue])),
  };
}

function onlyMeasured({ plain, cyclic }: Measured): Measured {
  const only = ({ statistic, degreesOfFreedom, size, fell }: Measurement) => ({
    statistic,
    degreesOfFreedom,
    size,
    ...(fell !== undefined && { fell }),
  });
  if (cyclic.size === 0) return { plain: only(plain), cyclic };
  return {
    plain: only(plain),
    cyclic: new Map([...cyclic].map(([cycle, measurement]) => [cycle, only(measurement)])),
  };
}

function resultsAt(
  comparison: Comparison,
  stream: StreamSignificance,
  { frozen, pairs, detection, outputModel }: TestOptions,
  level: number,
): FamilyResult[] {
  return [
    testDistributions(comparison, frozen, 'feature', stream, level, outputModel),
    testDistributions(comparison, frozen, 'output', stream, level, null),
    testDependence(comparison, pairs, stream, level),
    testLabels(comparison, detection.minimumRecords, stream, level),
    testErrors(comparison, detection, stream, level),
  ].filter(result => result !== null);
}

function qualityEvidence(
  comparison: Comparison,
  stream: StreamSignificance,
  options: TestOptions,
  level: number,
): (Evidence | null)[] {
  const { frozen, newFeaturesMatter } = options;
  return [
    dataQualityEvidence(comparison, frozen, 'feature', stream, level, newFeaturesMatter),
    dataQualityEvidence(comparison, frozen, 'output', stream, level, newFeaturesMatter),
  ];
}

/**
 * A model that keeps learning changes its own outputs, significantly in the end, and its errors with them. Where nothing but these changed:
 *
 * - A score alone, which sharpens, says nothing.
 * - Predictions count when they changed greatly (PSI of 0.25 or more), no labels of the same blocks tell that the errors stayed, and they
 *   were seen to stand still before.
 * - Errors count when they rose by more than different predictions alone can bring about: `changedShare`. What a model that was left alone
 *   predicts does not change without its inputs; where it does, beyond the habit of the stream, errors and predictions confirm each other.
 */
function withoutOwnLearning(
  evidence: Evidence[],
  measured: readonly MeasuredScale[],
  stream: StreamSignificance,
  { frozen }: TestOptions,
): Evidence[] {
  if (evidence.some(({ family }) => family !== 'predictions' && family !== 'error'))
    return evidence;
  const error = evidence.find(({ family }) => family === 'error');
  const predictions = evidence.find(({ family }) => family === 'predictions');
  const predictionsChanged =
    predictions !== undefined && Object.hasOwn(predictions.contributions, predictionName);
  if (error)
    return predictionsChanged || error.rise! > changedShare(measured, error.scale) ? evidence : [];
  const errorsAreKnown = measured.some(
    ({ scale, tests }) => scale === predictions?.scale && tests.has(errorKey),
  );
  return predictions?.large && !errorsAreKnown && !mayLearn(stream, frozen) ? evidence : [];
}

/** Where features vary by sampling noise, predictions of a model that was left alone do so as well; until they have, it may be learning. */
function mayLearn(stream: StreamSignificance, frozen: TestOptions['frozen']): boolean {
  if (ownLogOdds(stream.of(predictionKey).history) >= oddsOfStandingStill) return false;
  return [...frozen].some(
    ([key, { kind }]) => kind === 'feature' && stream.of(key).noiseWeight >= 0.5,
  );
}

/**
 * The share of predictions that may have become different ones, judged by how often each occurs: total variation is at most half the root of
 * the chi-squared distance (Cauchy-Schwarz), here G less its degrees of freedom, over the records that the comparison is worth.
 */
function changedShare(measured: readonly MeasuredScale[], ofScale: number): number {
  const predictions = measured
    .find(({ scale }) => scale === ofScale)
    ?.tests.get(predictionKey)?.plain;
  if (!predictions) return 0;
  const { statistic, degreesOfFreedom, size } = predictions;
  return Math.sqrt(Math.max(0, statistic - degreesOfFreedom) / size) / 2;
}

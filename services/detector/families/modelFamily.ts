import { totalCount, validCounts } from '../../shared/bins/countVector.ts';
import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { OutputModel } from '../reference/outputModel.ts';
import { plainReference, type TestReference } from '../reference/testReference.ts';
import { isOrdered } from '../significance/nullModel.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';
import { modelKey } from '../significance/streamHistory.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import { type ReferenceMeasurement, testBestReference } from '../significance/testBestReference.ts';
import { evidenceOf, shown } from './evidence.ts';
import { predictionContributions } from './outputMovement.ts';
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';

/** A mean output has to move by this many standard deviations beyond what the inputs explain. */
const minMovement = 0.2;
/** It also has to move by this share of what they explain, because effects need not add up. */
const shareOfExplained = 0.5;
/**
 * Where the outputs given the inputs vary by more than sampling noise anyway, the p-value has to
 * reach this power of the level, because such outputs move in steps.
 */
const powerIfOrdered = 2;
/** A probability has to move by this much in any case. */
const minMovementOfProbability = 0.01;

/** Tests whether the outputs moved by more than the inputs explain. */
export const modelFamily: TestFamily = {
  name: 'model',
  question: 'Does the model give other outputs to the same inputs?',
  metrics: {
    unexplained_movement:
      'movement of the mean output that the inputs do not explain, in standard deviations of the output',
  },
  cause: 'prediction_drift',
  keepsHistory: true,
  hasData: (_, { outputModel }) => outputModel !== null,
  test: testModel,
};

interface MeasuredMovement extends ReferenceMeasurement {
  /** In standard deviations of the output, signed. */
  movement: number;
  /** Movement that the inputs explain, in the same unit, without its sign. */
  explainedDeviations: number;
  /** Movement of a probability that is too small to matter; 0 for another output. */
  probabilityFloor: number;
  before: number;
  now: number;
  /** Movement that the inputs explain, in the unit of the output. */
  explained: number;
}

function testModel(
  comparison: Comparison,
  { stream, level, options }: FamilyContext,
): FamilyResult | null {
  const model = options.outputModel;
  if (!model) return null;
  const significance = stream.of(modelKey);
  const best = testBestReference(comparison, significance, reference =>
    measureMovement(model, comparison, reference),
  );
  if (!best) return null;
  const { test, judgementOf } = best;
  const { scale } = comparison;
  const ordered = isOrdered(significance.noiseWeight);
  const floor = minMovement + shareOfExplained * test.explainedDeviations;
  const matters = Math.abs(test.movement) >= Math.max(floor, test.probabilityFloor);
  const { pValue, logPValue, overdispersion } = judgementOf(test.statistic);
  const { noiseWeight } = significance;
  const tail = stream.tail(modelFamily.name, scale);
  const ofFamily = levelOfFamily(tail, scale, noiseWeight, level);
  const familyLevel = ordered ? ofFamily ** powerIfOrdered : ofFamily;
  const changed = matters && pValue <= familyLevel;
  const name = model.outputKey.replace(/^output\//, '');
  const result = {
    family: modelFamily.name,
    kind: 'output' as const,
    feature: name,
    metric: 'unexplained_movement',
    scale,
    value: Math.abs(test.movement),
    referenceValue: null,
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    cycle: best.cycle,
    noiseWeight,
    familyLevel,
    level: familyLevel,
    changed,
    logPValue: matters ? logPValue : 0,
    detail: () => ({
      pValue: matters ? pValue : 1,
      threshold: Math.max(
        floor,
        test.probabilityFloor,
        Math.abs(test.movement) *
          Math.sqrt(statisticThreshold(judgementOf, familyLevel) / test.statistic),
      ),
      overdispersion,
    }),
  };
  return {
    results: [result],
    measured: new Map([[modelKey, best.measured]]),
    logPValue: matters ? logPValue : 0,
    evidence: changed
      ? evidenceOf(result, {
          large: Math.abs(test.movement) >= 0.5,
          excess: Math.abs(test.now - test.before - test.explained),
          contributions: { [name]: 1 },
          summary:
            `the ${model.output} went from ${shown(test.before)} to ${shown(test.now)} on average, ` +
            `of which the inputs explain ${shown(test.explained)}`,
        })
      : null,
  };
}

/**
 * Returns the statistic z², chi-squared with 1 degree of freedom if nothing changed:
 *
 *     z = (ȳ − ȳ₀ − Σ_j Σ_b e_jb (p_jb − p⁰_jb)) √N / s,   s² = (1 − R²) var(y)
 *
 * with the means ȳ of the output over its bins, the effects e_jb of the bins of feature j and their
 * shares p now and before, and N = n m / (n + m).
 */
function measureMovement(
  model: OutputModel,
  { recent }: Comparison,
  reference: TestReference,
): MeasuredMovement | null {
  const before = outputCounts(model, reference.countsOf(model.outputKey));
  const now = outputCounts(model, recent.variables.get(model.outputKey)?.counts ?? null);
  if (!before || !now || before.records === 0 || now.records === 0) return null;
  const margins = [...model.effects.keys()].flatMap(key => {
    const referenceCounts = reference.countsOf(key);
    const recentCounts = recent.variables.get(key)?.counts;
    if (!referenceCounts || !recentCounts) return [];
    const [was, is] = [validCounts(referenceCounts), validCounts(recentCounts)];
    if (totalCount(was) === 0 || totalCount(is) === 0) return [];
    return [{ key, name: key, referenceCounts: was, recentCounts: is }];
  });
  if (margins.length < model.effects.size) return null;
  const moved = Object.values(predictionContributions(model, margins));
  const explained = moved.reduce((sum, movement) => sum + movement, 0);
  const rest = now.mean - before.mean - explained;
  const size = effectiveCount(before.records, now.records);
  const variance = before.variance * (1 - model.explained);
  if (!(variance > 0)) return null;
  const deviation = Math.sqrt(before.variance);
  return {
    statistic: (rest * rest * size) / variance,
    degreesOfFreedom: 1,
    size,
    records: now.records,
    referenceRecords: before.records,
    movement: rest / deviation,
    explainedDeviations: Math.abs(explained / deviation),
    probabilityFloor: isProbability(model) ? minMovementOfProbability / deviation : 0,
    before: before.mean,
    now: now.mean,
    explained,
  };
}

/**
 * Returns by how many standard deviations the inputs are expected to have moved the mean output; 0
 * if that is unknown.
 */
export function explainedMovement(model: OutputModel | null, comparison: Comparison): number {
  const measured =
    model && measureMovement(model, comparison, plainReference(comparison.reference));
  return measured?.explainedDeviations ?? 0;
}

function isProbability({ binOutputs }: OutputModel): boolean {
  return binOutputs.every(output => output === null || (output >= 0 && output <= 1));
}

function outputCounts({ binOutputs }: OutputModel, counts: readonly number[] | null) {
  if (!counts) return null;
  let records = 0;
  let sum = 0;
  let squares = 0;
  for (const [bin, output] of binOutputs.entries()) {
    if (output === null) continue;
    const count = counts[bin]!;
    records += count;
    sum += count * output;
    squares += count * output * output;
  }
  const mean = records > 0 ? sum / records : 0;
  return { records, mean, variance: records > 0 ? squares / records - mean * mean : 0 };
}

import { type Block, newCodeVersions } from '../blocks/block.ts';
import { type Comparison, comparisonsWithinReference, scales } from '../reference/comparison.ts';
import type { FamilyName } from '../significance/family.ts';
import type { Measurement } from '../significance/statisticHistory.ts';
import {
  emptyStreamHistory,
  type FeatureOdds,
  type MeasuredScale,
} from '../significance/streamHistory.ts';
import { type StreamNullModel, streamNullModel } from '../significance/streamNullModel.ts';
import type { Measured } from '../significance/testBestReference.ts';
import { changedShareOf } from './changedShare.ts';
import type { Evidence } from './evidence.ts';
import { families } from './families.ts';
import { type InputFacts, predictionKey, predictionsChanged } from './inputFacts.ts';
import { explainedMovement } from './modelFamily.ts';
import { isSteady, withheldAsSmall, withheldErrors, withheldOutputs } from './ownLearning.ts';
import type { FamilyContext, FamilyResult, TestOptions } from './testFamily.ts';
import type { TestResult } from './testResult.ts';

/** Results of the tests of a block, and their measurements for the history of the stream. */
export interface BlockTests {
  /**
   * Evidence of the families that say "changed", each at its most significant scale; empty for a
   * steady stream.
   */
  evidence: readonly Evidence[];
  /** Sentences that say why a family that says "changed" is no evidence. */
  withheld: ReadonlyMap<FamilyName, string>;
  /** All results of all families at all scales. */
  results: readonly TestResult[];
  measured: readonly MeasuredScale[];
}

/**
 * Runs the tests of all families at all scales, each test once. Blocks have either inputs and
 * outputs or labels, so that only the families of these have something to test.
 *
 * @param inputs what the inputs of the same blocks showed, for blocks of labels; null for blocks of
 * inputs
 */
export function testFamilies(
  comparisons: readonly Comparison[],
  stream: StreamNullModel,
  options: TestOptions,
  inputs: InputFacts | null,
): BlockTests {
  const strongest = new Map<FamilyName, Evidence>();
  const measured: MeasuredScale[] = [];
  const results: TestResult[] = [];
  for (const comparison of comparisons) {
    const found = resultsAt(comparison, { stream, options }, () => true);
    for (const { evidence, results: ofFamily } of found.values()) {
      for (const result of ofFamily) results.push(result);
      const known = evidence && strongest.get(evidence.family);
      if (evidence && (!known || evidence.logPValue < known.logPValue))
        strongest.set(evidence.family, evidence);
    }
    measured.push(measuredAt(comparison, found));
  }
  const all = [...strongest.values()];
  const hasNewCode = () =>
    comparisons.some(
      ({ referenceBlocks, recentBlocks }) =>
        newCodeVersions(referenceBlocks, recentBlocks).length > 0,
    );
  const changedShareAt = (scale: number) =>
    changedShareOf(comparisons.find(one => one.scale === scale)!);
  const large = all.filter(({ small }) => !small);
  const withheld = new Map([
    ...(inputs
      ? withheldErrors(large, stream, { ...inputs, hasNewCode, changedShareAt })
      : withheldOutputs(large, stream, options, hasNewCode)),
    ...withheldAsSmall(all),
  ]);
  const evidence = all.filter(({ family }) => !withheld.has(family));
  return { evidence, withheld, results, measured };
}

/** Returns what the tests of labels and errors have to know of a block of inputs. */
export function inputFactsOf(
  { evidence, results }: BlockTests,
  comparisons: readonly Comparison[],
  stream: StreamNullModel,
  options: TestOptions,
  features: FeatureOdds,
): Omit<InputFacts, 'alarm'> {
  const [smallest] = comparisons;
  return {
    changed: evidence.length > 0,
    predictionsChanged: predictionsChanged(results),
    predictionsAreSteady: isSteady(stream, predictionKey),
    standsStill: options.standsStill(),
    inputsMoved: comparisons.map(one => explainedMovement(options.outputModel, one)),
    features,
    families: smallest ? testableFamilies(smallest, options) : 0,
  };
}

/** Measures the variation of the stream between the blocks of a reference. */
export function measureReference(blocks: readonly Block[], options: TestOptions): MeasuredScale[] {
  const stream = streamNullModel(emptyStreamHistory);
  return comparisonsWithinReference(blocks).map(comparison =>
    measuredAt(
      comparison,
      resultsAt(comparison, { stream, options }, ({ keepsHistory }) => keepsHistory),
    ),
  );
}

/**
 * Returns the significance level of each family at each scale, for which the budget of false alarms
 * is split evenly. Only families whose data the reference has count.
 */
function levelPerTest(comparison: Comparison, options: TestOptions): number {
  const testable = testableFamilies(comparison, options) + options.otherFamilies;
  return options.budget / testable / scales.length;
}

function testableFamilies(comparison: Comparison, options: TestOptions): number {
  return families.filter(family => family.hasData(comparison, options)).length;
}

function resultsAt(
  comparison: Comparison,
  { stream, options }: Omit<FamilyContext, 'level'>,
  isWanted: (family: (typeof families)[number]) => boolean,
): Map<FamilyName, FamilyResult> {
  const level = levelPerTest(comparison, options);
  const found = new Map<FamilyName, FamilyResult>();
  for (const family of families) {
    if (!isWanted(family) || !family.hasData(comparison, options)) continue;
    const result = family.test(comparison, { stream, level, options });
    if (result) found.set(family.name, result);
  }
  return found;
}

function measuredAt(
  { scale }: Comparison,
  found: ReadonlyMap<FamilyName, FamilyResult>,
): MeasuredScale {
  const learning = families.filter(({ name, keepsHistory }) => keepsHistory && found.has(name));
  return {
    scale,
    tests: new Map(
      learning.flatMap(({ name }) =>
        Array.from(found.get(name)!.measured, ([key, one]) => [key, onlyMeasured(one)] as const),
      ),
    ),
    logPValues: new Map(learning.map(({ name }) => [name, found.get(name)!.logPValue])),
  };
}

/** Returns the measurement of a test without its other fields, so that states stay small. */
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

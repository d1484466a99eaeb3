import type { CountVector } from '../../shared/bins/countVector.ts';
import { addPairCounts, type FeaturePair, pairCounts } from './featurePairs.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import {
  countReference,
  countVariable,
  mergeVariableCounts,
  type VariableCounts,
} from './variableCounts.ts';
import { addVectors, countVectors, subtractVectors, type VectorCounts } from './vectorCounts.ts';
import {
  mergePerformance,
  type WindowObservation,
  type WindowPerformance,
} from './windowObservation.ts';

/**
 * The unit that the detector compares: a window counted in the bins of the reference, or several
 * small windows in a row that together hold enough records for a test. Never changed once made.
 */
export interface Block {
  startMs: number;
  endMs: number;
  records: number;
  /** True for a part of a training or uploaded reference, which is not a window of the stream. */
  given: boolean;
  /** Counts of every frozen variable that can be counted (`countVariable`), by `variableKey`. */
  variables: ReadonlyMap<string, VariableCounts>;
  /**
   * Features that the reference does not have, by name, with the number of records that carry them.
   */
  unknownFeatures: ReadonlyMap<string, number>;
  codeVersions: ReadonlySet<string>;
  /** Sums of the features that are vectors, by `variableKey`. */
  vectors: ReadonlyMap<string, VectorCounts>;
  /** Null if no prediction is labelled. */
  performance: WindowPerformance | null;
  /** `pairCounts` of the watched pairs; null without a sample. */
  pairs: Int8Array | null;
  /**
   * What the inputs leave unexplained of the outputs of its sample; null without a sample or without
   * a model of them.
   */
  residuals: Residuals | null;
}

/** Squared differences between outputs and what is expected of their inputs. */
export interface Residuals {
  records: number;
  squares: number;
}

/** In what records are counted: the bins of each variable, and the pairs of features. */
export interface Binning {
  /** The bins of each variable, by `variableKey`. */
  frozen: ReadonlyMap<string, FrozenVariable>;
  /**
   * Pairs of features whose dependence is watched; null while samples are gathered from which they
   * are chosen.
   */
  pairs: readonly FeaturePair[] | null;
}

/**
 * The sum of some blocks. It does not say whether a variable is constant, because constant blocks
 * may differ from each other; that has to be read from each block.
 */
export interface BlockSums {
  blocks: number;
  records: number;
  /** By `variableKey`; `blocks` is the number of blocks that count the variable. */
  variables: Map<string, { counts: CountVector; outOfRange: number; blocks: number }>;
  unknownFeatures: Map<string, number>;
  vectors: Map<string, VectorCounts>;
  performance: WindowPerformance | null;
  /** Blocks with at least one labelled prediction. */
  labelledBlocks: number;
  /** Sums by `addPairCounts` over the blocks that have pairs. */
  pairs: Float64Array;
  /** The number of blocks that have pairs. */
  pairBlocks: number;
}

/** Counts an observation in the bins of a reference. O(variables · buckets). */
export function countBlock(observation: WindowObservation, { frozen, pairs }: Binning): Block {
  const variables = new Map<string, VariableCounts>();
  for (const [key, variable] of frozen) {
    const { profile } = observation.variables.get(key) ?? {};
    const counts = countVariable(variable, profile, observation);
    if (counts) variables.set(key, counts);
  }
  return {
    ...blockWithoutVariables(observation),
    variables,
    vectors: countVectors(observation, frozen),
    unknownFeatures: unknownFeatures(observation, frozen),
    pairs: pairs && observation.sample && pairCounts(pairs, observation.sample),
  };
}

/**
 * Counts the parts of a reference in the bins that were frozen on these very observations, with
 * `countReference`. Pairs and unknown features are left out. O(parts · variables · buckets).
 */
export function countReferenceBlocks(
  observations: readonly WindowObservation[],
  frozen: ReadonlyMap<string, FrozenVariable>,
  given: boolean,
): Block[] {
  const perVariable = new Map<string, VariableCounts[]>();
  for (const [key, variable] of frozen) {
    const parts = observations.map(({ variables, records, startMs }) => ({
      profile: variables.get(key)?.profile,
      records,
      startMs,
    }));
    perVariable.set(key, countReference(variable, parts));
  }
  return observations.map((observation, index) => ({
    ...blockWithoutVariables(observation),
    given,
    variables: new Map([...perVariable].map(([key, counts]) => [key, counts[index]!])),
    vectors: countVectors(observation, frozen),
  }));
}

function blockWithoutVariables({
  startMs,
  endMs,
  records,
  codeVersions,
  performance,
}: WindowObservation): Block {
  return {
    startMs,
    endMs,
    records,
    given: false,
    variables: new Map(),
    vectors: new Map(),
    unknownFeatures: new Map(),
    codeVersions: new Set(codeVersions.keys()),
    performance,
    pairs: null,
    residuals: null,
  };
}

function unknownFeatures(
  observation: WindowObservation,
  frozen: ReadonlyMap<string, FrozenVariable>,
): Map<string, number> {
  const unknown = new Map<string, number>();
  for (const [key, { kind, name, profile }] of observation.variables) {
    const carried = profile.count - profile.missing;
    if (kind === 'feature' && !frozen.has(key) && carried > 0) unknown.set(name, carried);
  }
  return unknown;
}

/**
 * Returns one block of the records of two blocks that were counted in the same bins. Their pairs of
 * features are left out. O(variables · bins).
 */
export function mergeBlocks(earlier: Block, later: Block): Block {
  const variables = new Map(earlier.variables);
  for (const [key, counts] of later.variables) {
    const known = variables.get(key);
    variables.set(key, known ? mergeVariableCounts(known, counts) : counts);
  }
  const vectors = new Map(earlier.vectors);
  addVectors(vectors, later.vectors);
  const unknownFeatures = new Map(earlier.unknownFeatures);
  for (const [name, carried] of later.unknownFeatures)
    unknownFeatures.set(name, (unknownFeatures.get(name) ?? 0) + carried);
  return {
    startMs: earlier.startMs,
    endMs: later.endMs,
    records: earlier.records + later.records,
    given: false,
    variables,
    unknownFeatures,
    codeVersions: new Set([...earlier.codeVersions, ...later.codeVersions]),
    vectors,
    performance: mergePerformance(earlier.performance, later.performance),
    pairs: null,
    residuals: addedResiduals(earlier.residuals, later.residuals),
  };
}

/**
 * Returns the versions of the serving code that recent blocks logged and earlier ones did not, if
 * those logged any.
 */
export function newCodeVersions(earlier: readonly Block[], recent: readonly Block[]): string[] {
  const known = new Set(earlier.flatMap(({ codeVersions }) => [...codeVersions]));
  if (known.size === 0) return [];
  const logged = new Set(recent.flatMap(({ codeVersions }) => [...codeVersions]));
  return [...logged].filter(version => !known.has(version)).sort();
}

/** Returns the sum of residuals; null if there are none. */
export function addedResiduals(left: Residuals | null, right: Residuals | null): Residuals | null {
  if (!left || !right) return left ?? right;
  return { records: left.records + right.records, squares: left.squares + right.squares };
}

/** Returns the sum of blocks. O(blocks · variables · bins). */
export function sumBlocks(blocks: readonly Block[]): BlockSums {
  const sums: BlockSums = {
    blocks: blocks.length,
    records: 0,
    variables: new Map(),
    vectors: new Map(),
    unknownFeatures: new Map(),
    performance: null,
    labelledBlocks: 0,
    pairs: new Float64Array(0),
    pairBlocks: 0,
  };
  for (const block of blocks) addBlock(sums, block);
  return sums;
}

function addBlock(sums: BlockSums, block: Block): void {
  sums.records += block.records;
  for (const [key, { counts, outOfRange }] of block.variables) {
    const sum = sums.variables.get(key);
    if (!sum) {
      sums.variables.set(key, { counts: [...counts], outOfRange, blocks: 1 });
      continue;
    }
    for (let bin = 0; bin < counts.length; bin++) sum.counts[bin]! += counts[bin]!;
    sum.outOfRange += outOfRange;
    sum.blocks += 1;
  }
  addVectors(sums.vectors, block.vectors);
  for (const [name, carried] of block.unknownFeatures) {
    sums.unknownFeatures.set(name, (sums.unknownFeatures.get(name) ?? 0) + carried);
  }
  if (block.performance && block.performance.labelled > 0) {
    sums.performance = mergePerformance(sums.performance, block.performance);
    sums.labelledBlocks += 1;
  }
  if (block.pairs) {
    if (sums.pairBlocks === 0) sums.pairs = new Float64Array(block.pairs.length);
    addPairCounts(sums.pairs, block.pairs);
    sums.pairBlocks += 1;
  }
}

/**
 * Returns the sum of some blocks without a part of them, as if the others had been added up. The
 * sums have to be in the same bins, and `part` has to be a part of `whole`, which is not checked.
 * O(variables · bins).
 */
export function subtractSums(whole: BlockSums, part: BlockSums): BlockSums {
  const variables = new Map(
    [...whole.variables].map(([key, { counts, outOfRange, blocks }]) => {
      const taken = part.variables.get(key);
      if (!taken) return [key, { counts, outOfRange, blocks }];
      return [
        key,
        {
          counts: counts.map((count, bin) => count - taken.counts[bin]!),
          outOfRange: outOfRange - taken.outOfRange,
          blocks: blocks - taken.blocks,
        },
      ];
    }),
  );
  return {
    blocks: whole.blocks - part.blocks,
    records: whole.records - part.records,
    variables,
    vectors: subtractVectors(whole.vectors, part.vectors),
    unknownFeatures: subtractCounts(whole.unknownFeatures, part.unknownFeatures),
    performance: subtractPerformance(whole.performance, part.performance),
    labelledBlocks: whole.labelledBlocks - part.labelledBlocks,
    pairs:
      part.pairBlocks > 0 ? whole.pairs.map((sum, index) => sum - part.pairs[index]!) : whole.pairs,
    pairBlocks: whole.pairBlocks - part.pairBlocks,
  };
}

function subtractPerformance(
  whole: WindowPerformance | null,
  part: WindowPerformance | null,
): WindowPerformance | null {
  if (!whole || !part) return whole;
  if (whole.labelled === part.labelled) return null;
  return {
    task: whole.task,
    labelled: whole.labelled - part.labelled,
    lossSum: whole.lossSum - part.lossSum,
    lossSquareSum: whole.lossSquareSum - part.lossSquareSum,
    labelCounts: subtractCounts(whole.labelCounts, part.labelCounts),
    predictedCounts: subtractCounts(whole.predictedCounts, part.predictedCounts),
    rightCounts: subtractCounts(whole.rightCounts, part.rightCounts),
  };
}

function subtractCounts(
  whole: ReadonlyMap<string, number>,
  part: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map([...whole].map(([name, count]) => [name, count - (part.get(name) ?? 0)]));
}

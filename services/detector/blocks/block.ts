import { addPairCounts, type FeaturePair, pairCounts } from './featurePairs.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { countReference, countVariable, type VariableCounts } from './variableCounts.ts';
import {
  mergePerformance,
  type WindowObservation,
  type WindowPerformance,
} from './windowObservation.ts';

/** A window, or as many small ones in a row as carry a test together, counted in the bins of the reference. */
export interface Block {
  startMs: number;
  endMs: number;
  records: number;
  /** True of the parts of a training or uploaded reference, which are no windows of the stream. */
  given: boolean;
  /** By `variableKey`. */
  variables: ReadonlyMap<string, VariableCounts>;
  /** Records that carry a feature of which the reference knows nothing, by name. */
  unknownFeatures: ReadonlyMap<string, number>;
  codeVersions: ReadonlySet<string>;
  performance: WindowPerformance | null;
  /** `pairCounts` of the regime's pairs; null without a sample. */
  pairs: Int8Array | null;
}

/** What records are counted by. */
export interface Binning {
  /** By `variableKey`. */
  frozen: ReadonlyMap<string, FrozenVariable>;
  /** Features whose dependence is watched; null while samples for it are gathered. */
  pairs: readonly FeaturePair[] | null;
}

/** The sum of blocks. Constancy does not add up: it is asked of each block. */
export interface BlockSums {
  blocks: number;
  records: number;
  variables: Map<string, { counts: number[]; outOfRange: number; blocks: number }>;
  unknownFeatures: Map<string, number>;
  performance: WindowPerformance | null;
  labelledBlocks: number;
  /** `addPairCounts` of the blocks that have pairs: `pairBlocks`. */
  pairs: Float64Array;
  pairBlocks: number;
}

export function countBlock(observation: WindowObservation, { frozen, pairs }: Binning): Block {
  const variables = new Map<string, VariableCounts>();
  for (const [key, variable] of frozen) {
    variables.set(
      key,
      countVariable(variable, observation.variables.get(key)?.profile, observation.records),
    );
  }
  return {
    ...blockWithoutVariables(observation),
    variables,
    unknownFeatures: unknownFeatures(observation, frozen),
    pairs: pairs && observation.sample && pairCounts(pairs, observation.sample),
  };
}

/** The blocks of a reference, counted in the bins that were frozen on these very observations. */
export function countReferenceBlocks(
  observations: readonly WindowObservation[],
  frozen: ReadonlyMap<string, FrozenVariable>,
  given: boolean,
): Block[] {
  const perVariable = new Map<string, VariableCounts[]>();
  for (const [key, variable] of frozen) {
    const parts = observations.map(({ variables, records }) => ({
      profile: variables.get(key)?.profile,
      records,
    }));
    perVariable.set(key, countReference(variable, parts));
  }
  return observations.map((observation, index) => ({
    ...blockWithoutVariables(observation),
    given,
    variables: new Map([...perVariable].map(([key, counts]) => [key, counts[index]!])),
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
    unknownFeatures: new Map(),
    codeVersions: new Set(codeVersions.keys()),
    performance,
    pairs: null,
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

export function sumBlocks(blocks: readonly Block[]): BlockSums {
  const sums: BlockSums = {
    blocks: blocks.length,
    records: 0,
    variables: new Map(),
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

/** What remains of the sum of some blocks without the sum of a part of them. */
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
  };
}

function subtractCounts(
  whole: ReadonlyMap<string, number>,
  part: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map([...whole].map(([name, count]) => [name, count - (part.get(name) ?? 0)]));
}

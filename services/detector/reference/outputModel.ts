import { mean, sampleVariance } from 'simple-statistics';
import { binOfValue } from '../../shared/bins/binOfValue.ts';
import { unseenBin, validBinCount } from '../../shared/bins/countVector.ts';
import { bucketInnerBound, finestMantissaBits } from '../../shared/profile/bucketKey.ts';
import { codeOf, missingCode, type SampledRecords } from '../../shared/profile/recordSample.ts';
import { type Indicators, indicatorRidge } from '../../shared/statistics/indicatorRidge.ts';
import { addedResiduals, type Block, type Residuals } from '../blocks/block.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { variableKey, type WindowObservation } from '../blocks/windowObservation.ts';

/**
 * An additive model of what a version predicts: a sum of one effect per feature, each depending on
 * the frozen bin of the feature's value. It explains by how much a changed feature moves the
 * outputs. What it does not explain tells whether the version changed what it answers.
 */
export interface OutputModel {
  /**
   * The predicted quantity: 'score', 'prediction', or the share of a class, such as 'share of
   * "yes"'.
   */
  output: string;
  /**
   * The effects of each feature, by `variableKey`: one number for each seen bin, then one for
   * unseen values. An effect is the difference between the mean output of the bin and that of the
   * reference if only this feature differs. It is 0 for a bin without a sampled record.
   */
  effects: ReadonlyMap<string, readonly number[]>;
  /** The share of the variance of the output that the model explains, `IndicatorFit.explained`. */
  explained: number;
  /** `variableKey` of the output. */
  outputKey: string;
  /** The variance of the outputs that the model leaves unexplained. */
  residualVariance: number;
  /** The mean output of the sampled records. */
  meanOutput: number;
  /** The mean output in each bin of valid values; null for a bin without a sampled record. */
  binOutputs: readonly (number | null)[];
}

/** Fewer records do not tell the bins of a dozen features apart. */
const minRecords = 300;
/** A model that explains less is not used. */
const minExplained = 0.1;
/** Each bin is treated as if it had this many further records with the mean output. */
const ridge = 4;
/**
 * Bins of all features together; a fit costs their cube. Features past the limit, in the order of
 * names, are left out.
 */
const maxBins = 300;

/**
 * Fits an additive model to the outputs of the sampled records of a reference, by `indicatorRidge`.
 * Features that move by themselves, texts that are counted as numbers, and features with so many
 * categories that their bins are hash buckets are left out.
 *
 * Null if there are fewer than 300 sampled records, if the model explains less than a tenth of the
 * variance, or if no number stands for the output: if only some records have a score, or if there
 * are too many classes.
 *
 * O(records · features² + bins³).
 *
 * @param frozen bins by `variableKey`
 */
export function fitOutputModel(
  reference: readonly WindowObservation[],
  frozen: ReadonlyMap<string, FrozenVariable>,
): OutputModel | null {
  const output = outputOf(reference, frozen);
  if (!output) return null;
  const samples = reference.flatMap(({ sample }) => sample ?? []);
  const values = samples.flatMap(({ outputs }) => outputs.filter(isKnown).map(output.valueOf));
  if (values.length < minRecords) return null;
  const features = fittedFeatures(samples, frozen);
  const indicators = indicatorsOf(samples, features);
  const { coefficients, explained } = indicatorRidge(indicators, Float64Array.from(values), ridge);
  if (!(explained >= minExplained)) return null;
  const counts = new Float64Array(indicators.columnCount);
  for (const column of indicators.columns) counts[column]! += 1;
  const effects = features.map(({ key, offset, valid }) => {
    const bins = [offset, offset + valid] as const;
    return [key, centred(coefficients.slice(...bins), counts.slice(...bins))] as const;
  });
  const known = samples.flatMap(({ outputs }) => outputs.filter(isKnown));
  return {
    output: output.name,
    effects: new Map(effects),
    explained,
    outputKey: output.key,
    residualVariance: (1 - explained) * sampleVariance(values),
    meanOutput: mean(values),
    binOutputs: meansOfBins(known, output),
  };
}

function meansOfBins(codes: readonly number[], output: Output): (number | null)[] {
  const sums = Array.from({ length: output.bins }, () => ({ count: 0, sum: 0 }));
  for (const code of codes) {
    const bin = sums[output.binOf(code)];
    if (!bin) continue;
    bin.count += 1;
    bin.sum += output.valueOf(code);
  }
  return sums.map(({ count, sum }) => (count > 0 ? sum / count : null));
}

/** Twenty full samples; fewer records do not show that the model stands still. */
const minResiduals = 1280;
/** What is unexplained may grow by this factor by chance, and with unusual inputs. */
const maxGrowth = 1.15;

/**
 * Returns whether a version gave the same outputs to the same inputs in the blocks after its
 * reference: what its inputs leave unexplained of the outputs did not grow. It grows while a model
 * keeps learning. Null without a model of the outputs.
 */
export function standsStill(model: OutputModel | null, blocks: readonly Block[]): boolean | null {
  if (!model) return null;
  const known = blocks.reduce<Residuals | null>(
    (sum, { residuals }) => addedResiduals(sum, residuals),
    null,
  );
  if (!known || known.records < minResiduals) return false;
  return known.squares <= maxGrowth * model.residualVariance * known.records;
}

/**
 * Returns a block with what a model leaves unexplained of the sampled outputs, if there are both.
 */
export function withResiduals(
  block: Block,
  sample: SampledRecords | null,
  model: OutputModel | null,
  frozen: ReadonlyMap<string, FrozenVariable>,
): Block {
  return model && sample ? { ...block, residuals: residualsOf(model, sample, frozen) } : block;
}

/** Adds up what a model leaves unexplained of the outputs of sampled records. */
function residualsOf(
  model: OutputModel,
  sample: SampledRecords,
  frozen: ReadonlyMap<string, FrozenVariable>,
): Residuals {
  const output = outputOf([], frozen);
  if (!output) return { records: 0, squares: 0 };
  const features = fittedFeatures([sample], frozen).filter(({ key }) => model.effects.has(key));
  const places = features.map(({ name }) => sample.names.indexOf(name));
  let records = 0;
  let squares = 0;
  for (const [row, code] of sample.outputs.entries()) {
    if (!isKnown(code)) continue;
    let expected = model.meanOutput;
    for (const [index, { key, binOf }] of features.entries()) {
      const column = places[index]!;
      const valueCode =
        column < 0 ? missingCode : sample.codes[row * sample.names.length + column]!;
      expected += model.effects.get(key)![binOf(valueCode)] ?? 0;
    }
    records += 1;
    squares += (output.valueOf(code) - expected) ** 2;
  }
  return { records, squares };
}

const isKnown = (code: number) => code !== missingCode;

interface Output {
  key: string;
  name: string;
  /** Number of bins of valid values. */
  bins: number;
  binOf(code: number): number;
  valueOf(code: number): number;
}

function outputOf(
  reference: readonly WindowObservation[],
  frozen: ReadonlyMap<string, FrozenVariable>,
): Output | null {
  const key = variableKey(
    'output',
    frozen.has(variableKey('output', 'score')) ? 'score' : 'prediction',
  );
  const variable = frozen.get(key);
  if (!variable) return null;
  const { name, bins } = variable;
  const binOf = binOfCode(variable);
  if (!binOf) return null;
  const valid = validBinCount(variable.binCount);
  if ('keys' in bins)
    return isAlwaysNumber(reference, key)
      ? { key, name, bins: valid, binOf, valueOf: numberOf }
      : null;
  if (bins.kind === 'hashes') return null;
  // The most frequent category comes first.
  const [category] = bins.binOf.keys();
  const categoryCode = codeOf(category);
  return {
    key,
    name: `share of ${JSON.stringify(category)}`,
    bins: valid,
    binOf,
    valueOf: code => (code === categoryCode ? 1 : 0),
  };
}

/**
 * Returns whether every record has a number, because the codes of numbers and of classes cannot be
 * told apart.
 */
function isAlwaysNumber(reference: readonly WindowObservation[], key: string): boolean {
  return reference.every(({ variables, records }) => {
    const numeric = variables.get(key)?.profile.numeric;
    return numeric !== undefined && numeric.count + numeric.nonFinite === records;
  });
}

function numberOf(code: number): number {
  return bucketInnerBound(code, finestMantissaBits);
}

interface FittedFeature {
  key: string;
  name: string;
  /** Index of its first bin among the bins of all features. */
  offset: number;
  /**
   * The number of bins of valid values, as in `validCounts`. One more bin holds the records without
   * a valid value.
   */
  valid: number;
  binOf(code: number): number;
}

function fittedFeatures(
  samples: readonly SampledRecords[],
  frozen: ReadonlyMap<string, FrozenVariable>,
): FittedFeature[] {
  const features: FittedFeature[] = [];
  let offset = 0;
  for (const name of [...new Set(samples.flatMap(({ names }) => names))].sort()) {
    const key = variableKey('feature', name);
    const variable = frozen.get(key);
    const binOf =
      variable && !variable.moving && variable.view === 'logged' ? binOfCode(variable) : null;
    if (!variable || !binOf) continue;
    const valid = validBinCount(variable.binCount);
    if (offset + valid + 1 > maxBins) continue;
    features.push({ key, name, offset, valid, binOf });
    offset += valid + 1;
  }
  return features;
}

/**
 * Returns the function that finds the bin of a code. The bin after those of valid values holds
 * codes without a value. Null if codes do not determine bins, because the bins are buckets of
 * another hash.
 */
function binOfCode({ bins, binCount }: FrozenVariable): ((code: number) => number) | null {
  const missing = validBinCount(binCount);
  if ('keys' in bins) return code => (isKnown(code) ? binOfValue(numberOf(code), bins) : missing);
  if (bins.kind === 'hashes') return null;
  const binOfCategory = new Map([...bins.binOf].map(([category, bin]) => [codeOf(category), bin]));
  return code => (isKnown(code) ? (binOfCategory.get(code) ?? unseenBin(binCount)) : missing);
}

function indicatorsOf(
  samples: readonly SampledRecords[],
  features: readonly FittedFeature[],
): Indicators {
  const columns = samples.flatMap(({ names, codes, outputs }) => {
    const sampledAs = features.map(({ name }) => names.indexOf(name));
    return outputs.flatMap((output, row) =>
      isKnown(output)
        ? features.map(({ offset, binOf }, index) => {
            const column = sampledAs[index]!;
            return offset + binOf(column < 0 ? missingCode : codes[row * names.length + column]!);
          })
        : [],
    );
  });
  const columnCount = features.reduce((sum, { valid }) => sum + valid + 1, 0);
  return { columns: Uint16Array.from(columns), perRecord: features.length, columnCount };
}

/**
 * Returns coefficients less their mean over the records with a valid value; 0 for a bin without
 * records.
 */
function centred(coefficients: Float64Array, counts: Float64Array): number[] {
  const records = counts.reduce((sum, count) => sum + count, 0);
  const mean =
    coefficients.reduce((sum, coefficient, bin) => sum + coefficient * counts[bin]!, 0) / records;
  return Array.from(coefficients, (coefficient, bin) =>
    counts[bin]! > 0 ? coefficient - mean : 0,
  );
}

import { binOfValue } from '../../shared/bins/binOfValue.ts';
import { bucketInnerBound, FINEST_MANTISSA_BITS } from '../../shared/profile/bucketKey.ts';
import { codeOf, missingCode, type SampledRecords } from '../../shared/profile/recordSample.ts';
import { type Indicators, indicatorRidge } from '../../shared/statistics/indicatorRidge.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { variableKey, type WindowObservation } from '../blocks/windowObservation.ts';

/**
 * What a version gives, as a sum of effects of its features, each by its frozen bins: a model of the model, to say by how much a changed
 * feature moves the outputs. It explains, and decides nothing.
 */
export interface OutputModel {
  /** What is moved. @example 'score' */
  output: string;
  /**
   * By `variableKey`: how much the mean output of each bin lies above that of the reference if only this feature differs, then that of
   * values never seen before. 0 of a bin without a sampled record.
   */
  effects: ReadonlyMap<string, readonly number[]>;
  /** `IndicatorFit.explained`. */
  explained: number;
}

/** Fewer do not tell the bins of a dozen features apart. */
const fewestRecords = 300;
/** A fit that explains less is silent. */
const leastExplained = 0.1;
/** Records of the mean output that each bin has besides its own. */
const ridge = 4;
/** Bins of all features: a fit costs their cube. Features past it, by name, are left out. */
const mostBins = 300;

/**
 * Fits the outputs of the sampled records of a reference.
 *
 * @returns null with too few records, where features explain too little, and where no number stands for the output: some records have a
 * score and others have none, or there are too many classes
 */
export function fitOutputModel(
  reference: readonly WindowObservation[],
  frozen: ReadonlyMap<string, FrozenVariable>,
): OutputModel | null {
  const output = outputOf(reference, frozen);
  if (!output) return null;
  const samples = reference.flatMap(({ sample }) => sample ?? []);
  const values = samples.flatMap(({ outputs }) => outputs.filter(isKnown).map(output.valueOf));
  if (values.length < fewestRecords) return null;
  const features = fittedFeatures(samples, frozen);
  const indicators = indicatorsOf(samples, features);
  const { coefficients, explained } = indicatorRidge(indicators, Float64Array.from(values), ridge);
  if (!(explained >= leastExplained)) return null;
  const counts = new Float64Array(indicators.columnCount);
  for (const column of indicators.columns) counts[column]! += 1;
  const effects = features.map(({ key, offset, valid }) => {
    const bins = [offset, offset + valid] as const;
    return [key, centred(coefficients.slice(...bins), counts.slice(...bins))] as const;
  });
  return { output: output.name, effects: new Map(effects), explained };
}

const isKnown = (code: number) => code !== missingCode;

interface Output {
  name: string;
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
  if ('keys' in bins) return isAlwaysNumber(reference, key) ? { name, valueOf: numberOf } : null;
  if (bins.kind === 'hashes') return null;
  // The most frequent comes first.
  const [category] = bins.binOf.keys();
  const categoryCode = codeOf(category);
  return {
    name: `share of ${JSON.stringify(category)}`,
    valueOf: code => (code === categoryCode ? 1 : 0),
  };
}

/** The codes of numbers and classes cannot be told apart. */
function isAlwaysNumber(reference: readonly WindowObservation[], key: string): boolean {
  return reference.every(({ variables, records }) => {
    const numeric = variables.get(key)?.profile.numeric;
    return numeric !== undefined && numeric.count + numeric.nonFinite === records;
  });
}

function numberOf(code: number): number {
  return bucketInnerBound(code, FINEST_MANTISSA_BITS);
}

interface FittedFeature {
  key: string;
  name: string;
  /** Of its first bin among the bins of all. */
  offset: number;
  /** Bins of valid values, as `validCounts`; one more is of those without. */
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
    const binOf = variable && !variable.growing ? binOfCode(variable) : null;
    if (!variable || !binOf) continue;
    const valid = variable.binCount + 1;
    if (offset + valid + 1 > mostBins) continue;
    features.push({ key, name, offset, valid, binOf });
    offset += valid + 1;
  }
  return features;
}

/** @returns null where a code does not tell the bin: categories so many that their bins are of other hashes */
function binOfCode({ bins, binCount }: FrozenVariable): ((code: number) => number) | null {
  const missing = binCount + 1;
  if ('keys' in bins) return code => (isKnown(code) ? binOfValue(numberOf(code), bins) : missing);
  if (bins.kind === 'hashes') return null;
  const binOfCategory = new Map([...bins.binOf].map(([category, bin]) => [codeOf(category), bin]));
  return code => (isKnown(code) ? (binOfCategory.get(code) ?? binCount) : missing);
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

/** Coefficients less their mean over the records that have a valid value. */
function centred(coefficients: Float64Array, counts: Float64Array): number[] {
  const records = counts.reduce((sum, count) => sum + count, 0);
  const mean =
    coefficients.reduce((sum, coefficient, bin) => sum + coefficient * counts[bin]!, 0) / records;
  return Array.from(coefficients, (coefficient, bin) =>
    counts[bin]! > 0 ? coefficient - mean : 0,
  );
}

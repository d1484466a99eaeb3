import { binOfValue } from '../../shared/bins/binOfValue.ts';
import { unseenBin, validBinCount } from '../../shared/bins/countVector.ts';
import { bucketInnerBound, finestMantissaBits } from '../../shared/profile/bucketKey.ts';
import { codeOf, missingCode, type SampledRecords } from '../../shared/profile/recordSample.ts';
import { type Indicators, indicatorRidge } from '../../shared/statistics/indicatorRidge.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { variableKey, type WindowObservation } from '../blocks/windowObservation.ts';

/**
 * An additive model of what a version predicts: a sum of one effect per feature, each depending on
 * the frozen bin of the feature's value. It explains by how much a changed feature moves the
 * outputs, and has no part in any decision.
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
 * Features that move by themselves, texts that are counted as numbers, and those with so many categories that their bins are hash buckets, are
 * left out.
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
  // The most frequent category comes first.
  const [category] = bins.binOf.keys();
  const categoryCode = codeOf(category);
  return {
    name: `share of ${JSON.stringify(category)}`,
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

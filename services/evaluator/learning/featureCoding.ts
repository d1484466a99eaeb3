import { binOfValue } from '../../shared/bins/binOfValue.ts';
import { equalMassBins } from '../../shared/bins/equalMassBins.ts';
import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import { frequentCategoryBins } from '../../shared/bins/frequentCategoryBins.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureValue,
  featureType,
} from '../../shared/profile/featureProfile.ts';
import { isGrowing } from './isGrowing.ts';
import type { CodedFeature } from './regressionTree.ts';

/** How the values of a feature become numbers of bins. */
export interface FeatureCoding {
  name: string;
  bins: FeatureBins;
  binCount: number;
  ordered: number;
}

type Features = ReadonlyMap<string, FeatureValue>;

/** With as many again where single values are heavy, and those beside the ordered ones, they fit into a byte. */
const numericBins = 120;
/** Never seen, non-finite, of the wrong type, missing. */
const otherBins = 4;

/**
 * Codings of the first features by name, at most so many, but for those that only grow.
 * @param records features of each, in the order of time
 */
export function featureCodings(
  records: readonly Features[],
  mostFeatures: number,
): FeatureCoding[] {
  const names = [...new Set(records.flatMap(record => [...record.keys()]))]
    .sort()
    .slice(0, mostFeatures);
  return names
    .filter(name => !isGrowing(records.map(record => record.get(name))))
    .map(name =>
      featureCoding(
        name,
        records.map(record => record.get(name)),
      ),
    );
}

export function featureCoding(name: string, values: readonly FeatureValue[]): FeatureCoding {
  const profile = emptyFeatureProfile();
  for (const value of values) addValue(profile, value);
  const { numeric, categorical } = profile;
  if (featureType(profile) === 'categorical') {
    const bins = frequentCategoryBins(categorical, categorical.hashed !== null);
    return { name, bins, binCount: bins.binCount + otherBins, ordered: 0 };
  }
  const { kind, keys, mantissaBits } = equalMassBins(numeric, numeric.mantissaBits, numericBins);
  // Ranges, so that a number between two that were seen has a bin.
  const bins = {
    kind: 'ranges',
    keys: kind === 'ranges' ? keys : keys.slice(0, -1),
    mantissaBits,
  } as const;
  const ordered = bins.keys.length + 1;
  return { name, bins, binCount: ordered + otherBins, ordered };
}

/** @param values of records */
export function codedFeature(
  { bins, binCount, ordered }: FeatureCoding,
  values: readonly FeatureValue[],
): CodedFeature {
  return { codes: Uint8Array.from(values, value => binOfValue(value, bins)), binCount, ordered };
}

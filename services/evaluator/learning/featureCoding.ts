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
  /** Number of the first bins, which are in the order of their values. 0 for categories. */
  ordered: number;
}

type Features = ReadonlyMap<string, FeatureValue>;

/**
 * Bins of a numeric feature. Heavy single values can double their number; together with the other
 * bins they still fit into a byte.
 */
const numericBins = 120;
/** The bins of values that are unseen, non-finite, of the wrong type and missing. */
const otherBins = 4;

/**
 * Returns codings of the first `maxFeatures` features by name, without those that only grow.
 *
 * @param records features of each record, in the order of time
 */
export function featureCodings(records: readonly Features[], maxFeatures: number): FeatureCoding[] {
  const names = [...new Set(records.flatMap(record => [...record.keys()]))]
    .sort()
    .slice(0, maxFeatures);
  return names
    .filter(name => !isGrowing(records.map(record => record.get(name))))
    .map(name =>
      featureCoding(
        name,
        records.map(record => record.get(name)),
      ),
    );
}

/** Returns the coding of one feature, learned from its values. */
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

/** Codes the values of a feature. @param values one per record */
export function codedFeature(
  { bins, binCount, ordered }: FeatureCoding,
  values: readonly FeatureValue[],
): CodedFeature {
  return { codes: Uint8Array.from(values, value => binOfValue(value, bins)), binCount, ordered };
}

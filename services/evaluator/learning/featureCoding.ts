import { binOfValue } from '../../shared/bins/binOfValue.ts';
import { equalMassBins } from '../../shared/bins/equalMassBins.ts';
import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import { frequentCategoryBins } from '../../shared/bins/frequentCategoryBins.ts';
import { columnReading, isLearnable, readValue } from '../../shared/kinds/columnReading.ts';
import type { ProfileView } from '../../shared/kinds/viewedProfile.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureValue,
  featureType,
} from '../../shared/profile/featureProfile.ts';
import type { CodedFeature } from './regressionTree.ts';

/** How the values of a feature become numbers of bins. */
export interface FeatureCoding {
  name: string;
  /** As what the values are read. */
  view: ProfileView;
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
 * Returns codings of the first `maxFeatures` features by name, without those of which nothing can be
 * learned (`isLearnable`).
 *
 * @param records features of each record, in the order of time
 */
export function featureCodings(records: readonly Features[], maxFeatures: number): FeatureCoding[] {
  const names = [...new Set(records.flatMap(record => [...record.keys()]))]
    .sort()
    .slice(0, maxFeatures);
  return names.flatMap(name => {
    const values = records.map(record => record.get(name));
    const { kind, view } = columnReading(name, values);
    return isLearnable(kind) ? [featureCoding(name, values, view)] : [];
  });
}

/** Returns the coding of one feature, learned from its values. */
export function featureCoding(
  name: string,
  values: readonly FeatureValue[],
  view: ProfileView = 'logged',
): FeatureCoding {
  const profile = emptyFeatureProfile();
  for (const value of values) addValue(profile, readValue(value, view));
  const { numeric, categorical } = profile;
  if (featureType(profile) === 'categorical') {
    const bins = frequentCategoryBins(categorical, categorical.hashed !== null);
    return { name, view, bins, binCount: bins.binCount + otherBins, ordered: 0 };
  }
  const { kind, keys, mantissaBits } = equalMassBins(numeric, numeric.mantissaBits, numericBins);
  // Ranges, so that a number between two that were seen has a bin.
  const bins = {
    kind: 'ranges',
    keys: kind === 'ranges' ? keys : keys.slice(0, -1),
    mantissaBits,
  } as const;
  const ordered = bins.keys.length + 1;
  return { name, view, bins, binCount: ordered + otherBins, ordered };
}

/** Codes the values of a feature. @param values one per record */
export function codedFeature(
  { view, bins, binCount, ordered }: FeatureCoding,
  values: readonly FeatureValue[],
): CodedFeature {
  const codes = Uint8Array.from(values, value => binOfValue(readValue(value, view), bins));
  return { codes, binCount, ordered };
}

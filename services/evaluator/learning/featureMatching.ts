import { binnedCounts } from '../../shared/bins/binnedCounts.ts';
import { binOfValue } from '../../shared/bins/binOfValue.ts';
import { equalMassBins } from '../../shared/bins/equalMassBins.ts';
import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import { frequentCategoryBins } from '../../shared/bins/frequentCategoryBins.ts';
import { columnReading, isLearnable, readValue } from '../../shared/kinds/columnReading.ts';
import { type ProfileView, viewedProfile } from '../../shared/kinds/viewedProfile.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
  featureType,
} from '../../shared/profile/featureProfile.ts';
import { choleskySolver } from '../../shared/statistics/choleskySolver.ts';

/**
 * Finds weights of calibration records under which their features are distributed as in a window.
 */
export interface FeatureMatching {
  /**
   * Returns a weight for each record of the calibration.
   *
   * @param features profiles of the window
   * @param records number of records of the window
   */
  weights(features: ReadonlyMap<string, FeatureProfile>, records: number): Float64Array;
  bytes: number;
}

interface MatchedFeature {
  name: string;
  /** As what the values are read. */
  view: ProfileView;
  bins: FeatureBins;
  binCount: number;
  /** Index of its first bin among the bins of all features. */
  offset: number;
  /** Bin of each record. */
  codes: Uint16Array;
}

/**
 * Bins of all features together. Factoring the covariance costs their cube once, and solving costs
 * their square per window. Features whose bins would exceed the limit, by name, are left out.
 */
const maxBins = 300;
/**
 * With more buckets or categories than this, a window may be coarser than the calibration, so its
 * bins are made coarser at once.
 */
const fewDistinct = 128;
const spareMantissaBits = 2;
const coarsestMantissaBits = -3;
/**
 * Added to the variance of each bin's share (which is 0.09 for a share of a tenth), so that bins in
 * which the records hardly vary are hardly matched.
 */
const ridge = 0.02;
const maxWeight = 20;

/**
 * Prepares the matching of calibration records to windows by calibration estimation, a method of
 * survey sampling. Of all weights that bring the margins of the features to those of a window, it
 * takes those nearest to 1 (least squares). A ridge softens this, so that a margin which the
 * records cannot reproduce is only approached. It needs the profiles of a window, not its rows.
 * Features of which nothing can be learned (`isLearnable`) are not matched.
 *
 *     w_i = 1 + (x_i - x̄)ᵀ (S + ridge I)⁻¹ (t - x̄), within [0, 20]
 *
 * x_i indicates the bins of record i, S is their covariance, and t are the shares in the window.
 *
 * Deville, Särndal, "Calibration estimators in survey sampling", JASA 87 (1992), case 1. The ridge:
 * Bardsley, Chambers, Applied Statistics 33 (1984).
 *
 * @param records features of each record, in the order of time
 */
export function featureMatching(
  records: readonly ReadonlyMap<string, FeatureValue>[],
): FeatureMatching {
  const features = matchedFeatures(records);
  const size = features.reduce((sum, { binCount }) => sum + binCount, 0);
  const means = new Float64Array(size);
  for (const { codes, offset } of features)
    for (const code of codes) means[offset + code]! += 1 / records.length;
  const solve = choleskySolver(covariance(features, means, records.length), size);

  function weights(
    profiles: ReadonlyMap<string, FeatureProfile>,
    windowRecords: number,
  ): Float64Array {
    const slopes = solve(shift(features, means, profiles, windowRecords));
    const atMeans = slopes.reduce((sum, slope, bin) => sum + slope * means[bin]!, 0);
    const found = new Float64Array(records.length).fill(1 - atMeans);
    for (const { codes, offset } of features)
      for (let index = 0; index < codes.length; index++)
        found[index]! += slopes[offset + codes[index]!]!;
    return found.map(weight => Math.min(maxWeight, Math.max(0, weight)));
  }

  return { weights, bytes: 8 * size * size + 2 * records.length * features.length };
}

function matchedFeatures(records: readonly ReadonlyMap<string, FeatureValue>[]): MatchedFeature[] {
  const names = [...new Set(records.flatMap(record => [...record.keys()]))].sort();
  const features: MatchedFeature[] = [];
  let offset = 0;
  for (const name of names) {
    const logged = records.map(record => record.get(name));
    const { kind, view } = columnReading(name, logged);
    if (!isLearnable(kind)) continue;
    const values = logged.map(value => readValue(value, view));
    const bins = binsOf(values);
    const binCount = binnedCounts(emptyFeatureProfile(), bins).length;
    if (offset + binCount > maxBins) continue;
    const codes = Uint16Array.from(values, value => binOfValue(value, bins));
    features.push({ name, view, bins, binCount, offset, codes });
    offset += binCount;
  }
  return features;
}

function binsOf(values: readonly FeatureValue[]): FeatureBins {
  const profile = emptyFeatureProfile();
  for (const value of values) addValue(profile, value);
  const { numeric, categorical } = profile;
  if (featureType(profile) === 'categorical')
    return frequentCategoryBins(
      categorical,
      categorical.hashed !== null || categorical.exact.size > fewDistinct,
    );
  const spare = numeric.bucketsInUse > fewDistinct ? spareMantissaBits : 0;
  return equalMassBins(numeric, Math.max(coarsestMantissaBits, numeric.mantissaBits - spare));
}

function covariance(
  features: readonly MatchedFeature[],
  means: Float64Array,
  records: number,
): Float64Array {
  const size = means.length;
  const matrix = new Float64Array(size * size);
  for (const one of features) {
    for (const other of features) {
      for (let index = 0; index < records; index++) {
        const row = one.offset + one.codes[index]!;
        matrix[row * size + other.offset + other.codes[index]!]! += 1 / records;
      }
    }
  }
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++)
      matrix[row * size + column]! -= means[row]! * means[column]!;
    matrix[row * size + row]! += ridge;
  }
  return matrix;
}

/**
 * Returns the differences between the shares of the window and those of the records. Only values
 * that the records have are counted, because others cannot be matched. A feature that has only
 * other values in the window, or whose profile is too coarse, counts as unchanged.
 */
function shift(
  features: readonly MatchedFeature[],
  means: Float64Array,
  profiles: ReadonlyMap<string, FeatureProfile>,
  windowRecords: number,
): Float64Array {
  const differences = new Float64Array(means.length);
  for (const { name, view, bins, offset } of features) {
    const profile = viewedProfile(profiles.get(name) ?? emptyFeatureProfile(), view);
    if (profile === null || isCoarser(profile, bins)) continue;
    const counts = binnedCounts(profile, bins);
    // Records without the feature count as missing it.
    counts[counts.length - 1]! += Math.max(0, windowRecords - profile.count);
    const known = counts.map((count, bin) => (means[offset + bin] === 0 ? 0 : count));
    const total = known.reduce((sum, count) => sum + count, 0);
    if (total === 0) continue;
    for (const [bin, count] of known.entries())
      differences[offset + bin] = count / total - means[offset + bin]!;
  }
  return differences;
}

function isCoarser({ numeric, categorical }: FeatureProfile, bins: FeatureBins): boolean {
  return 'keys' in bins
    ? numeric.mantissaBits < bins.mantissaBits
    : bins.kind === 'categories' && categorical.hashed !== null;
}

import { emptyCategoricalCounts, textSummaryOf } from '../profile/categoricalCounts.ts';
import type { FeatureProfile } from '../profile/featureProfile.ts';
import {
  emptyNumericHistogram,
  mergeNumericHistograms,
  type NumericHistogram,
} from '../profile/numericHistogram.ts';

/**
 * As what the values of a feature are counted: as they were logged, or texts as the numbers (with
 * `commas`, those with a decimal comma) or the times (in seconds since the epoch) that they say, or
 * by their lengths, or vectors of one dimension by their norms.
 */
export type ProfileView =
  | 'logged'
  | 'numbers'
  | 'commas'
  | 'times'
  | 'lengths'
  | `vectors/${number}`;

/**
 * Returns a profile as a view shows it. What the view does not show is of the wrong type there: a
 * text that says no number, for example. The number of records stays the same.
 *
 * @returns null if the profile is from before version 0.2 and does not tell what its texts say
 * @example viewedProfile(profileOf(['1.5', '2', 'N/A', null]), 'numbers').numeric.maximum // 2
 */
export function viewedProfile(profile: FeatureProfile, view: ProfileView): FeatureProfile | null {
  if (view === 'logged') return profile;
  const dimension = dimensionOf(view);
  if (dimension !== null) return vectorsViewed(profile, dimension);
  const { numeric, categorical, vectors } = profile;
  const text = textSummaryOf(categorical);
  if (!text) return null;
  const others = categorical.count + (vectors?.count ?? 0);
  if (view === 'numbers' || view === 'commas') {
    const said = text[view];
    return withNumbers(profile, mergeNumericHistograms(numeric, said), others - said.count);
  }
  const shown = view === 'times' ? text.times : text.lengths;
  const numbers = { ...shown, nonFinite: numeric.nonFinite };
  return withNumbers(profile, numbers, others - shown.count + numeric.count);
}

/** Returns the dimension of the vectors that a view shows, or null for another view. */
export function dimensionOf(view: ProfileView): number | null {
  return view.startsWith('vectors/') ? Number(view.slice('vectors/'.length)) : null;
}

function vectorsViewed(profile: FeatureProfile, dimension: number): FeatureProfile {
  const { count, missing, vectors } = profile;
  const norms = vectors?.byDimension.get(dimension)?.norms ?? emptyNumericHistogram();
  const nonFinite = vectors?.nonFinite ?? 0;
  const wrongType = count - missing - norms.count - nonFinite;
  return withNumbers(profile, { ...norms, nonFinite }, wrongType);
}

function withNumbers(
  { count, missing }: FeatureProfile,
  numeric: NumericHistogram,
  wrongType: number,
): FeatureProfile {
  const categorical = { ...emptyCategoricalCounts(), count: wrongType };
  return { count, missing, numeric, categorical, vectors: null };
}

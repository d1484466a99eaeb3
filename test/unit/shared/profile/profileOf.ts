import type { CategoricalCounts } from '../../../../services/shared/profile/categoricalCounts.ts';
import {
  addCategory,
  emptyCategoricalCounts,
} from '../../../../services/shared/profile/categoricalCounts.ts';
import type {
  FeatureProfile,
  FeatureValue,
} from '../../../../services/shared/profile/featureProfile.ts';
import {
  addValue,
  emptyFeatureProfile,
} from '../../../../services/shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../../../services/shared/profile/numericHistogram.ts';
import {
  addNumber,
  emptyNumericHistogram,
} from '../../../../services/shared/profile/numericHistogram.ts';

export function profileOf(values: FeatureValue[]): FeatureProfile {
  const profile = emptyFeatureProfile();
  for (const value of values) addValue(profile, value);
  return profile;
}

export function histogramOf(numbers: number[]): NumericHistogram {
  const histogram = emptyNumericHistogram();
  for (const number of numbers) addNumber(histogram, number);
  return histogram;
}

export function countsOf(values: string[]): CategoricalCounts {
  const counts = emptyCategoricalCounts();
  for (const value of values) addCategory(counts, value);
  return counts;
}

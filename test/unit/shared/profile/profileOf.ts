import type { CategoricalCounts } from '../../../../services/shared/profile/categoricalCounts.ts';
import {
  addCategory,
  emptyCategoricalCounts,
} from '../../../../services/shared/profile/categoricalCounts.ts';
import type {
  FeatureProfile,
  FeatureValue,
  Vector,
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

import { toProfileRow } from '../../../../services/shared/profile/profileRow.ts';
import { storedTextSummary } from '../../../../services/shared/profile/textSummary.ts';

export function profileOf(values: (FeatureValue | Vector)[]): FeatureProfile {
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

/** Returns the row of a profile without its sums of numbers, whose last bits depend on the order. */
export function rowWithoutSums(profile: FeatureProfile) {
  const row = toProfileRow(profile);
  return { ...row, sum: 0, text_summary: row.text_summary && withoutSums(row.text_summary) };
}

/** Returns the counts of categories in an order that depends on their content alone. */
export function orderedCounts({ text, ...counts }: CategoricalCounts) {
  return { ...counts, text: text && withoutSums(storedTextSummary(text)) };
}

function withoutSums(textSummary: string): string {
  return textSummary.replaceAll(/"sum":[^,]+/g, '');
}

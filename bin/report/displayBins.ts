import { bucketValue } from '../../services/shared/bins/bucketValue.ts';
import { categoryEntries } from '../../services/shared/bins/frequentCategoryBins.ts';
import { type FeatureProfile, featureType } from '../../services/shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../services/shared/profile/numericHistogram.ts';
import { sortedBuckets } from '../../services/shared/profile/sortedBuckets.ts';

/** Bins in which a person looks at a distribution: ranges of one width, or frequent categories. */
export interface DisplayBins {
  type: 'numeric' | 'categorical';
  /** One per bin, the bins that only some features need included. */
  labels: string[];
  /** Returns the share of the records of a profile in each bin. */
  sharesOf(profile: FeatureProfile): number[];
}

const rangeCount = 16;
const maxSingleValues = 12;
const maxCategories = 12;
/** Numbers beyond these quantiles of the reference share a bin at each end. */
const tailShare = 0.005;

/**
 * Returns bins for looking at the profiles of a feature beside each other. Their width is a round
 * number; rare values at both ends share a bin. Records without a usable value have bins of their
 * own where any profile has some.
 * @param reference the profile that others are compared with
 * @param all merged profile of everything that will be shown
 */
export function displayBins(reference: FeatureProfile, all: FeatureProfile): DisplayBins {
  const isNumeric = featureType(reference) === 'numeric';
  const valid = isNumeric ? numericBins(reference, all) : categoryBins(reference, all);
  const wrongType = (profile: FeatureProfile) =>
    isNumeric ? profile.categorical.count : profile.numeric.count;
  const special = [
    { label: isNumeric ? 'text' : 'number', count: wrongType },
    { label: 'not finite', count: (profile: FeatureProfile) => profile.numeric.nonFinite },
    { label: 'missing', count: (profile: FeatureProfile) => profile.missing },
  ].filter(({ count }) => count(all) > 0);
  return {
    type: isNumeric ? 'numeric' : 'categorical',
    labels: [...valid.labels, ...special.map(({ label }) => label)],
    sharesOf: profile =>
      [...valid.countsOf(profile), ...special.map(({ count }) => count(profile))].map(count =>
        profile.count === 0 ? 0 : count / profile.count,
      ),
  };
}

interface ValidBins {
  labels: string[];
  countsOf(profile: FeatureProfile): number[];
}

function numericBins({ numeric: reference }: FeatureProfile, all: FeatureProfile): ValidBins {
  const values = distinctValues(all.numeric);
  if (values.length <= maxSingleValues) return singleValues(values);
  const low = quantile(reference, tailShare);
  const high = quantile(reference, 1 - tailShare);
  const width = roundWidth((high - low) / rangeCount || Math.abs(high) / rangeCount || 1);
  const first = Math.floor(low / width);
  const last = Math.max(Math.ceil(high / width), first + 1);
  const edges = Array.from({ length: last - first + 1 }, (_, step) => (first + step) * width);
  const labels = [
    `below ${shownNumber(edges[0]!, width)}`,
    ...edges
      .slice(0, -1)
      .map(
        (edge, step) => `${shownNumber(edge, width)} to ${shownNumber(edges[step + 1]!, width)}`,
      ),
    `from ${shownNumber(edges.at(-1)!, width)}`,
  ];
  return {
    labels,
    countsOf: ({ numeric }) => {
      const counts = new Array<number>(labels.length).fill(0);
      for (const [value, count] of valuesOf(numeric)) {
        const step = Math.floor(value / width) - first + 1;
        counts[Math.min(Math.max(step, 0), counts.length - 1)]! += count;
      }
      return counts;
    },
  };
}

function singleValues(values: readonly number[]): ValidBins {
  return {
    labels: values.map(value => shownNumber(value, 0)),
    countsOf: ({ numeric }) => {
      const counts = new Array<number>(values.length).fill(0);
      for (const [value, count] of valuesOf(numeric)) {
        const bin = nearest(values, value);
        if (bin !== -1) counts[bin]! += count;
      }
      return counts;
    },
  };
}

function nearest(values: readonly number[], value: number): number {
  let best = -1;
  for (const [bin, candidate] of values.entries())
    if (best === -1 || Math.abs(candidate - value) < Math.abs(values[best]! - value)) best = bin;
  return best;
}

/** Frequent categories of everything; the others share a bin, apart from those never seen before. */
function categoryBins(reference: FeatureProfile, all: FeatureProfile): ValidBins {
  const hashed = all.categorical.hashed !== null;
  const ranked = categoryEntries(all.categorical, hashed).sort(
    ([left, leftCount], [right, rightCount]) => rightCount - leftCount || (left < right ? -1 : 1),
  );
  const own = ranked.slice(0, maxCategories).map(([category]) => category);
  const seen = new Set(
    categoryEntries(reference.categorical, hashed).map(([category]) => category),
  );
  const rest = ranked.slice(maxCategories).map(([category]) => category);
  const restLabels = [
    ...(rest.some(category => seen.has(category)) ? ['others'] : []),
    ...(rest.some(category => !seen.has(category)) ? ['others (new)'] : []),
  ];
  const labelOf = (category: string | number) => {
    const isNew = seen.has(category) ? '' : ' (new)';
    if (!own.includes(category)) return `others${isNew}`;
    return `${hashed ? `hash ${category}` : category}${isNew}`;
  };
  const labels = [...own.map(labelOf), ...restLabels];
  const binOf = new Map(own.map((category, bin) => [category, bin]));
  return {
    labels,
    countsOf: ({ categorical }) => {
      const counts = new Array<number>(labels.length).fill(0);
      for (const [category, count] of categoryEntries(categorical, hashed))
        counts[binOf.get(category) ?? labels.lastIndexOf(labelOf(category))]! += count;
      return counts;
    },
  };
}

/** Returns the values of the buckets of a histogram in ascending order, with their counts. */
function valuesOf(histogram: NumericHistogram): [value: number, count: number][] {
  const { mantissaBits } = histogram;
  const { keys, counts } = sortedBuckets(histogram, mantissaBits);
  return Array.from(keys, (key, index) => [
    bucketValue(histogram, key, mantissaBits),
    counts[index]!,
  ]);
}

function distinctValues(histogram: NumericHistogram): number[] {
  return valuesOf(histogram).map(([value]) => value);
}

/** Returns the value below which a share of the numbers lies, to the width of a bucket. */
export function quantile(histogram: NumericHistogram, share: number): number {
  let below = 0;
  let last = 0;
  for (const [value, count] of valuesOf(histogram)) {
    below += count;
    last = value;
    if (below >= share * histogram.count) return value;
  }
  return last;
}

/** Returns 1, 2 or 5 times a power of ten, at least as large. @example roundWidth(0.13) // 0.2 */
function roundWidth(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const factor = [1, 2, 5, 10].find(candidate => candidate * power >= width * (1 - 1e-9))!;
  return factor * power;
}

/** Returns a number with as many digits as its neighbours at this distance need. */
function shownNumber(value: number, width: number): string {
  if (width === 0) return String(Number(value.toPrecision(6)));
  const digits = Math.max(0, -Math.floor(Math.log10(width) + 1e-9));
  if (digits > 6 || Math.abs(value) >= 1e9) return value.toPrecision(4);
  return (Math.round(value / width) * width).toFixed(digits);
}

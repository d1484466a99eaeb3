import { categoryHash, fnv1a } from './categoryHash.ts';

/** More distinct values than this turn exact counts into hash buckets. */
export const MAXIMUM_CATEGORIES = 256;
export const HASH_BUCKETS = 256;

/** Values longer than this, in UTF-16 code units, are counted under a shortened name. */
const MAXIMUM_CATEGORY_LENGTH = 256;
const KEPT_PREFIX_LENGTH = 240;

/**
 * A mergeable summary of categories: exact counts for as long as there are at most 256 distinct values, else counts of
 * 256 hash buckets (`categoryHash`). Which of the two is a function of the *set* of values, and so is each count: any
 * order of adding and merging gives the same result.
 */
export type CategoricalCounts = {
  count: number;
  /** Exact counts; empty once hashed. */
  exact: Map<string, number>;
  /** Counts of the 256 hash buckets, or null while counts are exact. */
  hashed: Float64Array | null;
};

/** Of all summaries without values: a map of its own takes memory. */
const noCategories = new Map<string, number>();

export function emptyCategoricalCounts(): CategoricalCounts {
  return { count: 0, exact: noCategories, hashed: null };
}

/** Counts one value, in place. Amortised O(length of the value). */
export function addCategory(counts: CategoricalCounts, value: string): void {
  counts.count += 1;
  const known = counts.exact.get(value); // most often so, and then the value is its own name
  if (known === undefined) addToCategory(counts, categoryName(value), 1);
  else counts.exact.set(value, known + 1);
}

/** One summary of all the values of any number of summaries, which stay as they are. */
export function mergeCategoricalCounts(...summaries: CategoricalCounts[]): CategoricalCounts {
  const merged = emptyCategoricalCounts();
  for (const summary of summaries) {
    merged.count += summary.count;
    for (const [category, count] of summary.exact) addToCategory(merged, category, count);
    if (summary.hashed) addHashed(merged, summary.hashed);
  }
  return merged;
}

/** The 256 hash bucket counts of a summary, whether it is hashed or exact: what makes the two comparable. */
export function hashedCounts(counts: CategoricalCounts): Float64Array {
  if (counts.hashed) return counts.hashed;
  const hashed = new Float64Array(HASH_BUCKETS);
  for (const [category, count] of counts.exact) hashed[categoryHash(category)]! += count;
  return hashed;
}

/**
 * The name a value is counted under: itself; of a value over 256 code units the first 240 and the hash of the whole,
 * so that memory stays bounded. Lone surrogates become U+FFFD, as no UTF-8 database could give them back.
 *
 * @example categoryName('x'.repeat(300)).endsWith('x…#970138f5'); // 240 x, an ellipsis, the hash of all 300
 */
export function categoryName(value: string): string {
  const text = value.toWellFormed();
  if (text.length <= MAXIMUM_CATEGORY_LENGTH) return text;
  // Through bytes and back, as a plain slice would keep the whole text in memory (V8 slices share their parent).
  const prefix = Buffer.from(text.slice(0, KEPT_PREFIX_LENGTH)).toString();
  return `${prefix}…#${fnv1a(text).toString(16).padStart(8, '0')}`;
}

function addToCategory(counts: CategoricalCounts, category: string, count: number): void {
  if (counts.hashed) {
    counts.hashed[categoryHash(category)]! += count;
    return;
  }
  if (counts.exact === noCategories) counts.exact = new Map();
  counts.exact.set(category, (counts.exact.get(category) ?? 0) + count);
  if (counts.exact.size > MAXIMUM_CATEGORIES) turnToHashed(counts);
}

function addHashed(counts: CategoricalCounts, added: Float64Array): void {
  const hashed = counts.hashed ?? turnToHashed(counts);
  for (let bucket = 0; bucket < HASH_BUCKETS; bucket++) hashed[bucket]! += added[bucket]!;
}

function turnToHashed(counts: CategoricalCounts): Float64Array {
  const hashed = hashedCounts(counts);
  counts.hashed = hashed;
  counts.exact = noCategories;
  return hashed;
}

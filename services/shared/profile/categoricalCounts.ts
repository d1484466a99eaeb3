import { categoryHash, fnv1a } from './categoryHash.ts';
import { addText, emptyTextSummary, mergeTextSummaries, type TextSummary } from './textSummary.ts';

/** More distinct values than this turn exact counts into counts of hash buckets. */
export const maxCategories = 256;
export const hashBuckets = 256;

/** Values longer than this, in UTF-16 code units, are counted under a shortened name. */
const maxCategoryLength = 256;
const keptPrefixLength = 240;

/**
 * A mergeable summary of categories. It holds exact counts up to 256 distinct values, and beyond
 * that the counts of 256 hash buckets (`categoryHash`).
 *
 * Which of the two it holds depends on the *set* of values alone, so that any order of adding and
 * merging gives the same result. Memory is bounded: at most 256 names of at most 256 code units, or
 * 24 KB.
 */
export type CategoricalCounts = {
  /** Values that were counted, the sum of all counts. */
  count: number;
  /** Exact counts by category; empty once hashed. */
  exact: Map<string, number>;
  /** Counts of the 256 hash buckets; null while counts are exact. */
  hashed: Float64Array | null;
  /**
   * What the texts say; null while counts are exact, because it follows from them. Also null once
   * hashed, where a part was stored before version 0.2.
   */
  text: TextSummary | null;
};

/**
 * Shared by all summaries without values, because a map of their own would take memory. It stays
 * empty.
 */
const noCategories = new Map<string, number>();

/** Returns a summary without values. */
export function emptyCategoricalCounts(): CategoricalCounts {
  return { count: 0, exact: noCategories, hashed: null, text: null };
}

/** Counts one value, in place, under its `categoryName`. Amortised O(length of the value). */
export function addCategory(counts: CategoricalCounts, value: string): void {
  counts.count += 1;
  // A value that is known is its own name, so it need not be named again.
  const known = counts.exact.get(value);
  if (known === undefined) addToCategory(counts, categoryName(value), 1);
  else counts.exact.set(value, known + 1);
}

/**
 * Returns one summary of the values of any number of summaries, which stay as they are.
 * O(categories).
 */
export function mergeCategoricalCounts(...summaries: CategoricalCounts[]): CategoricalCounts {
  const merged = emptyCategoricalCounts();
  for (const summary of summaries) {
    merged.count += summary.count;
    for (const [category, count] of summary.exact) addToCategory(merged, category, count);
    if (summary.hashed) addHashed(merged, summary.hashed);
  }
  if (merged.hashed) merged.text = mergedText(summaries);
  return merged;
}

/** Returns what the texts of a summary say; null if that was not stored. O(categories). */
export function textSummaryOf(counts: CategoricalCounts): TextSummary | null {
  if (counts.hashed) return counts.text;
  const summary = emptyTextSummary();
  for (const [category, count] of counts.exact) addText(summary, category, count);
  return summary;
}

function mergedText(summaries: readonly CategoricalCounts[]): TextSummary | null {
  const texts = summaries.map(textSummaryOf);
  return texts.every(text => text !== null) ? mergeTextSummaries(...texts) : null;
}

/**
 * Returns the counts of the 256 hash buckets of a summary, so that an exact one can be compared
 * with a hashed one. The counts of a hashed summary are its own and are not to be changed. O(total
 * length of the categories).
 */
export function hashedCounts(counts: CategoricalCounts): Float64Array {
  if (counts.hashed) return counts.hashed;
  const hashed = new Float64Array(hashBuckets);
  for (const [category, count] of counts.exact) hashed[categoryHash(category)]! += count;
  return hashed;
}

/**
 * Returns the name under which a value is counted. A value of up to 256 UTF-16 code units is its
 * own name. The name of a longer value is its first 240 code units, an ellipsis and the hash of the
 * whole, so that memory stays bounded. Lone surrogates become U+FFFD, because a UTF-8 database
 * could not give them back. O(length).
 *
 * @example categoryName('x'.repeat(300)).slice(237) // 'xxx…#970138f5'
 */
export function categoryName(value: string): string {
  const text = value.toWellFormed();
  if (text.length <= maxCategoryLength) return text;
  // Through bytes and back, because a plain slice shares the memory of the whole text in V8.
  const prefix = Buffer.from(text.slice(0, keptPrefixLength)).toString();
  return `${prefix}…#${fnv1a(text).toString(16).padStart(8, '0')}`;
}

function addToCategory(counts: CategoricalCounts, category: string, count: number): void {
  if (counts.hashed) {
    counts.hashed[categoryHash(category)]! += count;
    if (counts.text) addText(counts.text, category, count);
    return;
  }
  if (counts.exact === noCategories) counts.exact = new Map();
  counts.exact.set(category, (counts.exact.get(category) ?? 0) + count);
  if (counts.exact.size > maxCategories) turnToHashed(counts);
}

function addHashed(counts: CategoricalCounts, added: Float64Array): void {
  const hashed = counts.hashed ?? turnToHashed(counts);
  for (let bucket = 0; bucket < hashBuckets; bucket++) hashed[bucket]! += added[bucket]!;
}

function turnToHashed(counts: CategoricalCounts): Float64Array {
  const hashed = hashedCounts(counts);
  counts.text = textSummaryOf(counts);
  counts.hashed = hashed;
  counts.exact = noCategories;
  return hashed;
}

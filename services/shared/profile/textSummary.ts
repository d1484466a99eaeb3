import { fnv1a } from './categoryHash.ts';
import { commaNumber, hasDecimalComma } from './commaNumber.ts';
import { addDistinct, type DistinctValues, mergeDistinct } from './distinctValues.ts';
import {
  fromHistogramColumns,
  type HistogramColumns,
  histogramColumns,
} from './histogramColumns.ts';
import {
  addRepeatedNumber,
  emptyNumericHistogram,
  mergeNumericHistograms,
  type NumericHistogram,
} from './numericHistogram.ts';
import { writtenNumber } from './writtenNumber.ts';
import { writtenTime } from './writtenTime.ts';

/**
 * A mergeable summary of what the texts of a feature say: numbers, times or sentences, and how many
 * of them differ. It is kept beside the hash buckets of a feature with too many categories, which
 * no longer show it; while categories are exact, it follows from them (`textSummaryOf`).
 *
 * Every text is at most one of a number and a time. Any order of adding and merging gives the same
 * summary, except for the last bits of sums. It takes at most 29 KB.
 */
export interface TextSummary {
  /** The numbers that texts say (`writtenNumber`). */
  numbers: NumericHistogram;
  /** The numbers that texts say if the comma is the decimal sign (`commaNumber`). */
  commas: NumericHistogram;
  /** Texts whose comma can only be the decimal sign (`hasDecimalComma`). */
  decimalCommas: number;
  /** The times that texts say (`writtenTime`), in seconds since the epoch. */
  times: NumericHistogram;
  /** The lengths of all texts, in UTF-16 code units. */
  lengths: NumericHistogram;
  /** Texts with at least three blanks: sentences rather than names. */
  sentences: number;
  distinct: DistinctValues;
  /** The text with the lowest hash, shortened; empty if there is none. */
  example: string;
}

/** A text summary as one column of a row, in JSON; empty where there is none. */
interface StoredTextSummary {
  numbers: HistogramColumns;
  /** Absent in rows from before it was counted. */
  commas?: HistogramColumns;
  decimalCommas?: number;
  times: HistogramColumns;
  lengths: HistogramColumns;
  sentences: number;
  distinct: number[];
  example: string;
}

const minBlanksOfSentence = 3;
const maxExampleLength = 40;

export function emptyTextSummary(): TextSummary {
  return {
    numbers: emptyNumericHistogram(),
    commas: emptyNumericHistogram(),
    decimalCommas: 0,
    times: emptyNumericHistogram(),
    lengths: emptyNumericHistogram(),
    sentences: 0,
    distinct: [],
    example: '',
  };
}

/**
 * Adds a text, in place. Amortised O(length).
 *
 * @param name of the category, as `categoryName` returns it
 * @param times how often the text is added
 */
export function addText(summary: TextSummary, name: string, times: number): void {
  const number = writtenNumber(name);
  const seconds = Number.isNaN(number) ? writtenTime(name) : Number.NaN;
  if (!Number.isNaN(number)) addRepeatedNumber(summary.numbers, number, times);
  else if (!Number.isNaN(seconds)) addRepeatedNumber(summary.times, seconds, times);
  else if (isSentence(name)) summary.sentences += times;
  addCommaNumber(summary, name, number, times);
  addRepeatedNumber(summary.lengths, name.length, times);
  const lowest = summary.distinct[0];
  addDistinct(summary.distinct, fnv1a(name));
  if (summary.distinct[0] !== lowest)
    summary.example = name.slice(0, maxExampleLength).toWellFormed();
}

/** @param number that the text says with a decimal point, or NaN */
function addCommaNumber(summary: TextSummary, name: string, number: number, times: number): void {
  const hasComma = name.includes(',');
  // Without a comma and a point, a text says the same number in both readings, or none.
  const read = hasComma || name.includes('.') ? commaNumber(name) : number;
  if (Number.isNaN(read)) return;
  addRepeatedNumber(summary.commas, read, times);
  if (hasComma && hasDecimalComma(name, read)) summary.decimalCommas += times;
}

function isSentence(text: string): boolean {
  let blanks = 0;
  let at = text.indexOf(' ');
  while (at >= 0 && ++blanks < minBlanksOfSentence) at = text.indexOf(' ', at + 1);
  return at >= 0;
}

/** Returns one summary of the texts of some summaries, which stay as they are. O(buckets). */
export function mergeTextSummaries(...summaries: TextSummary[]): TextSummary {
  return {
    numbers: mergeNumericHistograms(...summaries.map(({ numbers }) => numbers)),
    commas: mergeNumericHistograms(...summaries.map(({ commas }) => commas)),
    decimalCommas: summaries.reduce((sum, { decimalCommas }) => sum + decimalCommas, 0),
    times: mergeNumericHistograms(...summaries.map(({ times }) => times)),
    lengths: mergeNumericHistograms(...summaries.map(({ lengths }) => lengths)),
    sentences: summaries.reduce((sum, { sentences }) => sum + sentences, 0),
    distinct: summaries.reduce<DistinctValues>(
      (merged, { distinct }) => mergeDistinct(merged, distinct),
      [],
    ),
    example: summaries.reduce(withLowest, emptyTextSummary()).example,
  };
}

function withLowest(left: TextSummary, right: TextSummary): TextSummary {
  const [one = Number.POSITIVE_INFINITY, other = Number.POSITIVE_INFINITY] = [
    left.distinct[0],
    right.distinct[0],
  ];
  return other < one ? right : left;
}

/** Returns a summary as it is stored. O(buckets log buckets). */
export function storedTextSummary(summary: TextSummary): string {
  const stored: StoredTextSummary = {
    numbers: histogramColumns(summary.numbers),
    commas: histogramColumns(summary.commas),
    decimalCommas: summary.decimalCommas,
    times: histogramColumns(summary.times),
    lengths: histogramColumns(summary.lengths),
    sentences: summary.sentences,
    distinct: summary.distinct,
    example: summary.example,
  };
  return JSON.stringify(stored);
}

/** Returns the summary that `storedTextSummary` was given, or null for an empty text. */
export function readTextSummary(text: string | undefined): TextSummary | null {
  if (!text) return null;
  const { numbers, commas, decimalCommas, times, lengths, ...others }: StoredTextSummary =
    JSON.parse(text);
  return {
    numbers: fromHistogramColumns(numbers),
    commas: commas ? fromHistogramColumns(commas) : emptyNumericHistogram(),
    decimalCommas: decimalCommas ?? 0,
    times: fromHistogramColumns(times),
    lengths: fromHistogramColumns(lengths),
    ...others,
  };
}

/** Returns about how many bytes of memory a summary takes. */
export function textSummaryBytes({
  numbers,
  commas,
  times,
  lengths,
  distinct,
}: TextSummary): number {
  const arrays = [numbers, commas, times, lengths].reduce(
    (bytes, { bucketKeys, bucketCounts, slots }) =>
      bytes + bucketKeys.byteLength + bucketCounts.byteLength + slots.byteLength,
    0,
  );
  return 600 + arrays + distinct.length * 8;
}

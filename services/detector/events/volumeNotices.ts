import { median, sum } from 'simple-statistics';
import { dayMs, hourMs, weekMs } from '../../shared/duration.ts';
import type { Notice } from '../../shared/service/notice.ts';
import { chiSquaredThreshold } from '../../shared/statistics/chiSquaredThreshold.ts';
import { utcMinute } from '../../shared/utcMinute.ts';

/** The records of the windows of a model. */
export interface Volume {
  windowSizeMs: number;
  /** Records by start of the window; a window without any has no entry. */
  records: ReadonlyMap<number, number>;
  /** End of the last window that is complete. */
  untilMs: number;
}

/** Weeks of windows that are looked at. */
export const volumeWeeks = 8;
/** What is usual is the median of the same time in at least this many weeks before. */
const minWeeks = 3;
/** Fewer records than this are too few to say that there are far fewer or far more. */
const minUsual = 50;
/** Fewer earlier times do not show how the volume varies. */
const minEarlier = 7;
/** What happened this often in the weeks before is a habit of the stream. */
const habit = 2;
/** An earlier deviation is like the present one if it is at least this part of it. */
const likePart = 0.5;
/** The volume varies by this much at least, as the logarithm of a ratio. */
const minDeviation = 0.1;
/** 1.4826 times the median deviation is the standard deviation of a normal distribution. */
const deviationsPerMedian = 1.4826;

/** For how long the volume has to be unusual, and by which factor. */
const spans = [
  { spanMs: dayMs, factor: 2 },
  { spanMs: 6 * hourMs, factor: 2 },
  { spanMs: hourMs, factor: 3 },
];

const said = {
  fewer: {
    code: 'fewer-predictions',
    message: 'Far fewer predictions come than usual at this time of the week.',
    advice: 'Check what sends them: an outage, a filter, sampling. Nothing is retrained for it.',
  },
  more: {
    code: 'more-predictions',
    message: 'Far more predictions come than usual at this time of the week.',
    advice:
      'Check what sends them: a campaign, bots, retries, a replay. Nothing is retrained for it.',
  },
};

/**
 * Returns the notice that far fewer or far more predictions come than usual at this time of the
 * week; none while the volume is as usual, or while less than three weeks before are known.
 *
 * The last day, the last six hours and the last hour (or window, if that is longer) are compared
 * with the medians of the same times of the week before. A day or six hours have to differ by a
 * factor of two, an hour by three. The logarithm of the ratio also has to exceed what it varies by:
 * its median deviation in the weeks before, as that of a normal distribution, at the level of the
 * budget. A pause is told with the first window after it. What came up twice in these weeks, half as
 * large or larger, is a habit of the stream.
 *
 * @param falseAlarms allowed for a window
 */
export function volumeNotices(volume: Volume, falseAlarms: number): Notice[] {
  const unitMs = Math.max(volume.windowSizeMs, hourMs);
  const volumes = unitsOf(volume, unitMs);
  const level = falseAlarms / spans.length;
  const ends = endsOf(volumes);
  for (const { spanMs, factor } of spans) {
    const length = Math.max(1, Math.round(spanMs / unitMs));
    const found = ends
      .map(end => unusualSpan(volumes, end, length, level))
      .find(span => span && Math.abs(span.logRatio) >= Math.log(factor));
    if (found) return [noticeOf(found)];
  }
  return [];
}

/** Returns where the spans end: now, and before the last unit if that one ended a pause. */
function endsOf({ counts }: Units): number[] {
  return counts.at(-2) === 0 ? [counts.length, counts.length - 1] : [counts.length];
}

interface Units {
  unitMs: number;
  /** Start of the first unit. */
  startMs: number;
  /** Records of each unit. */
  counts: readonly number[];
  /** Records that are usual for each unit; null while too few weeks before it are known. */
  usual: readonly (number | null)[];
}

/** Adds the windows up to whole units, and compares each unit with the weeks before it. */
function unitsOf({ records, untilMs }: Volume, unitMs: number): Units {
  const startMs = Math.ceil(Math.min(...records.keys()) / unitMs) * unitMs;
  const length = Math.max(0, Math.floor((untilMs - startMs) / unitMs));
  const counts = new Array<number>(Number.isFinite(length) ? length : 0).fill(0);
  for (const [windowMs, count] of records) {
    const unit = Math.floor((windowMs - startMs) / unitMs);
    if (unit >= 0 && unit < length) counts[unit]! += count;
  }
  const usual = counts.map((_, unit) => {
    const earlier = Array.from({ length: volumeWeeks }, (_, week) =>
      Math.round(unit - ((week + 1) * weekMs) / unitMs),
    ).filter(before => before >= 0 && before < unit);
    return earlier.length < minWeeks ? null : median(earlier.map(before => counts[before]!));
  });
  return { unitMs, startMs, counts, usual };
}

/** Some units in a row, with what is usual for them. */
interface Span {
  records: number;
  usual: number;
  /** Natural logarithm of their ratio. */
  logRatio: number;
  fromMs: number;
  untilMs: number;
}

/** Returns units up to the last one if they differ from what is usual; null if they do not. */
function unusualSpan(units: Units, end: number, length: number, level: number): Span | null {
  const last = spanAt(units, end - length, length);
  if (!last || last.usual < minUsual) return null;
  const isAlike = ({ logRatio }: Span) => logRatio / last.logRatio >= likePart;
  const earlier: Span[] = [];
  for (let first = end - 2 * length; first >= 0; first -= length) {
    const span = spanAt(units, first, length);
    // What goes on now says nothing of what was usual before.
    if (span && !(earlier.length === 0 && isAlike(span))) earlier.push(span);
  }
  if (earlier.length < minEarlier) return null;
  const typical = deviationsPerMedian * median(earlier.map(({ logRatio }) => Math.abs(logRatio)));
  const deviation = Math.max(minDeviation, typical, Math.sqrt(1 / last.usual));
  const significant = Math.sqrt(chiSquaredThreshold(1, level)) * deviation;
  if (Math.abs(last.logRatio) < significant) return null;
  const begun = earlier.filter((span, index) => isAlike(span) && !isAlike(earlier[index - 1]!));
  return begun.length >= habit ? null : last;
}

function spanAt(
  { unitMs, startMs, counts, usual }: Units,
  first: number,
  length: number,
): Span | null {
  const expected = first < 0 ? [null] : usual.slice(first, first + length);
  if (expected.includes(null)) return null;
  const records = sum(counts.slice(first, first + length));
  const total = sum(expected as number[]);
  const fromMs = startMs + first * unitMs;
  return {
    records,
    usual: total,
    logRatio: Math.log((records + 0.5) / (total + 0.5)),
    fromMs,
    untilMs: fromMs + length * unitMs,
  };
}

function noticeOf({ records, usual, logRatio, fromMs, untilMs }: Span): Notice {
  const { code, message, advice } = logRatio < 0 ? said.fewer : said.more;
  const evidence =
    `From ${utcMinute(fromMs)} to ${utcMinute(untilMs)} UTC there were ${records}, ` +
    `where about ${Math.round(usual)} are usual.`;
  return { code, subject: '', sinceMs: fromMs, message, evidence, advice };
}

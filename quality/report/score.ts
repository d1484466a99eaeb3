import type { Truth } from '../counting/truthFile.ts';

/**
 * Scores drift alarms against the known drifts of a stream, by the rule of arXiv 2606.07789 (KDD
 * 2026). An alarm in [start, start + maxDelay] of a drift is a true positive, and every such alarm
 * counts. Any other alarm is a false positive. A drift without an alarm is a miss. Positions are
 * rows of the stream, and may be fractions.
 */

export interface Counts {
  truePositives: number;
  falsePositives: number;
  misses: number;
  foundDrifts: number;
  drifts: number;
  /** Rows from the start of each drift that was found to its first alarm. */
  delays: readonly number[];
  rows: number;
  /** Number of rows in which an alarm would be false. */
  quietRows: number;
}

export interface Score {
  f1: number;
  precision: number;
  recall: number;
  /** Share of the drifts that were found. */
  episodeRecall: number;
  f1Episode: number;
  truePositives: number;
  falsePositives: number;
  misses: number;
  /** False alarms per 1000 rows in which an alarm would be false. */
  falseAlarms: number;
  /** Unit of the paper: false positives of 50 runs per 1000 rows of one run. */
  falseAlarmsOfPaper: number;
  /** Rows; null if no drift was found. */
  meanDelay: number | null;
  episodes: number;
}

/** Counts the alarms of a stream. An alarm belongs to the first drift in whose interval it lies. */
export function countAlarms(positions: readonly number[], truth: Truth): Counts {
  const { starts, maxDelay, rows, monitoredFrom } = truth;
  let open = positions.filter(position => position >= monitoredFrom).sort((a, b) => a - b);
  const counts = { truePositives: 0, misses: 0, foundDrifts: 0 };
  const delays: number[] = [];
  for (const start of starts) {
    const hits = open.filter(position => position >= start && position <= start + maxDelay);
    open = open.filter(position => !hits.includes(position));
    counts.truePositives += hits.length;
    if (hits.length === 0) counts.misses++;
    else {
      counts.foundDrifts++;
      delays.push(hits[0]! - start);
    }
  }
  const matched = total(starts.map(start => Math.min(maxDelay, rows - start)));
  return {
    ...counts,
    falsePositives: open.length,
    drifts: starts.length,
    delays,
    rows,
    quietRows: Math.max(rows - monitoredFrom - matched, 1),
  };
}

/** Scores the repeats of one cell together: of a data set, a kind of drift, abrupt or gradual. */
export function summarize(repeats: readonly Counts[]): Score {
  const sum = (of: (counts: Counts) => number) => total(repeats.map(of));
  const truePositives = sum(counts => counts.truePositives);
  const falsePositives = sum(counts => counts.falsePositives);
  const misses = sum(counts => counts.misses);
  const foundDrifts = sum(counts => counts.foundDrifts);
  const drifts = sum(counts => counts.drifts);
  const delays = repeats.flatMap(counts => counts.delays);
  const precision = share(truePositives, truePositives + falsePositives);
  const recall = share(truePositives, truePositives + misses);
  const episodeRecall = share(foundDrifts, drifts);
  const rowsPerRun = sum(counts => counts.rows) / repeats.length;
  return {
    f1: harmonicMean(precision, recall),
    precision,
    recall,
    episodeRecall,
    f1Episode: harmonicMean(share(foundDrifts, foundDrifts + falsePositives), episodeRecall),
    truePositives,
    falsePositives,
    misses,
    falseAlarms: (1000 * falsePositives) / sum(counts => counts.quietRows),
    falseAlarmsOfPaper: (1000 * falsePositives * (50 / repeats.length)) / rowsPerRun,
    meanDelay: delays.length > 0 ? total(delays) / delays.length : null,
    episodes: repeats.length,
  };
}

/**
 * Returns the mean over cells, each with the same weight. The delay is the mean over cells that
 * have one.
 */
export function meanScore(scores: readonly Score[]): Score {
  const mean = (of: (score: Score) => number) => total(scores.map(of)) / scores.length;
  const sum = (of: (score: Score) => number) => total(scores.map(of));
  const delays = scores.flatMap(({ meanDelay }) => meanDelay ?? []);
  return {
    f1: mean(score => score.f1),
    precision: mean(score => score.precision),
    recall: mean(score => score.recall),
    episodeRecall: mean(score => score.episodeRecall),
    f1Episode: mean(score => score.f1Episode),
    truePositives: sum(score => score.truePositives),
    falsePositives: sum(score => score.falsePositives),
    misses: sum(score => score.misses),
    falseAlarms: mean(score => score.falseAlarms),
    falseAlarmsOfPaper: mean(score => score.falseAlarmsOfPaper),
    meanDelay: delays.length > 0 ? total(delays) / delays.length : null,
    episodes: sum(score => score.episodes),
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

function harmonicMean(left: number, right: number): number {
  return left + right > 0 ? (2 * left * right) / (left + right) : 0;
}

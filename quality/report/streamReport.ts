import { formatTable } from '../../bin/terminal/formatTable.ts';
import type { StreamTruth } from '../counting/truthFile.ts';
import type { Alarm, JudgedStream } from '../judge/judgeStream.ts';
import { countAlarms, meanScore, type Score, summarize } from './score.ts';

/** How alarms are timed, and within what time a drift must be found. */
export interface Timing {
  name: string;
  positionOf(alarm: Alarm, truth: StreamTruth): number;
  truthOf(truth: StreamTruth): StreamTruth;
}

/** Times an alarm by the end of the window that fired, as the paper does. */
export const byWindow: Timing = {
  name: 'window',
  positionOf: ({ event }, truth) => truth.rowAt(event.windowEnd),
  truthOf: truth => truth,
};

/**
 * Times an alarm by the clock when it was raised. The limit is longer by the delay of the labels.
 */
export const byClock: Timing = {
  name: 'clock',
  positionOf: ({ raisedAtMs }, truth) => truth.rowAt(raisedAtMs),
  truthOf: truth => ({ ...truth, maxDelay: truth.maxDelay + truth.labelDelay }),
};

export interface Cell {
  dataset: string;
  type: string;
  mode: string;
  score: Score;
}

/** Scores the drift events of streams per cell. */
export function scoreCells(
  streams: readonly JudgedStream[],
  { positionOf, truthOf }: Timing,
): Cell[] {
  return scorePositions(
    streams.map(({ truth, alarms }) => ({
      truth: truthOf(truth),
      positions: alarms.map(alarm => positionOf(alarm, truth)),
    })),
  );
}

/** Alarms of one stream, by Driftloop or another tool, as rows. */
export interface PositionedAlarms {
  truth: StreamTruth;
  positions: readonly number[];
}

/** Scores alarms per data set, kind of drift and mode, sorted. */
export function scorePositions(streams: readonly PositionedAlarms[]): Cell[] {
  const cells = Map.groupBy(streams, ({ truth: { mode, dataset, type } }) =>
    JSON.stringify([mode, dataset, type]),
  );
  return [...cells]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, repeats]) => {
      const [mode, dataset, type] = JSON.parse(key) as [string, string, string];
      const counts = repeats.map(({ positions, truth }) => countAlarms(positions, truth));
      return { mode, dataset, type, score: summarize(counts) };
    });
}

/** Returns the means over the cells of each mode. */
export function meansByMode(cells: readonly Cell[]): Map<string, Score> {
  const modes = Map.groupBy(cells, ({ mode }) => mode);
  return new Map(
    [...modes].map(([mode, ofMode]) => [mode, meanScore(ofMode.map(({ score }) => score))]),
  );
}

export function cellTable(cells: readonly Cell[]): string {
  const row = (mode: string, dataset: string, type: string, score: Score) => ({
    mode,
    'data set': dataset,
    drift: type,
    F1: score.f1.toFixed(3),
    precision: score.precision.toFixed(3),
    'episode recall': score.episodeRecall.toFixed(3),
    'false per 1000': score.falseAlarms.toFixed(4),
    'paper unit': score.falseAlarmsOfPaper.toFixed(2),
    'delay in rows': score.meanDelay === null ? '-' : score.meanDelay.toFixed(0),
    'false alarms': score.falsePositives,
    streams: score.episodes,
  });
  return formatTable([
    ...cells.map(({ mode, dataset, type, score }) => row(mode, dataset, type, score)),
    ...[...meansByMode(cells)].map(([mode, score]) => row(mode, 'MEAN', '', score)),
  ]);
}

/** Shows how often each cause was named first when a drift was found, by what was injected. */
export function causeTable(streams: readonly JudgedStream[]): string {
  const rows = [...Map.groupBy(streams, ({ truth: { type } }) => type)].sort(([left], [right]) =>
    left < right ? -1 : 1,
  );
  const named = new Map(rows.map(([type, ofType]) => [type, ofType.flatMap(firstCauses)]));
  const causes = [...new Set([...named.values()].flat())].sort();
  return formatTable(
    [...named].map(([type, found]) => ({
      injected: type,
      ...Object.fromEntries(
        causes.map(cause => [cause, found.filter(one => one === cause).length]),
      ),
    })),
  );
}

/** Returns for each drift the cause that its first alarm named when it was raised. */
function firstCauses({ truth, alarms }: JudgedStream): string[] {
  const { starts, maxDelay } = byClock.truthOf(truth);
  const positions = alarms
    .map(alarm => ({ position: byClock.positionOf(alarm, truth), cause: alarm.raised.cause }))
    .sort((a, b) => a.position - b.position);
  return starts.map(
    start =>
      positions.find(({ position }) => position >= start && position <= start + maxDelay)?.cause ??
      'not found',
  );
}

/** Shows the drift events of a few streams one by one. */
export function eventTable(streams: readonly JudgedStream[]): string {
  return formatTable(
    streams.flatMap(({ truth, alarms }) =>
      alarms.map(({ event }) => ({
        'data set': truth.dataset,
        from: new Date(event.windowStart).toISOString().slice(0, 16),
        to: new Date(event.windowEnd).toISOString().slice(0, 16),
        status: event.status,
        cause: event.cause,
        feature: event.feature,
        explanation:
          event.explanation.length > 160
            ? `${event.explanation.slice(0, 160)}…`
            : event.explanation,
      })),
    ),
  );
}

import { formatTable } from '../../bin/terminal/formatTable.ts';
import { describeDuration, hourMs } from '../../services/shared/duration.ts';
import type { JudgedStream } from '../judge/judgeStream.ts';
import { hasExpectation, scoreWanted, type WantedScore } from './wantedScore.ts';

/** Means over streams of which it is known what a person wants. */
export interface WantedMeans {
  streams: number;
  falseAlarms: number;
  falseOnWeekends: number;
  falsePerThousandWindows: number;
  /** Share of the changes that were found in time; null where none is wanted. */
  found: number | null;
  /** Share of the changes found in time whose first cause is right; null if none was found. */
  rightCauses: number | null;
}

export function wantedMeans(streams: readonly JudgedStream[]): WantedMeans {
  const scored = streams.filter(hasExpectation).map(stream => ({
    hasChange: stream.expectation.change !== null,
    score: scoreWanted(stream),
  }));
  const sum = (of: (score: WantedScore) => number) =>
    scored.reduce((total, { score }) => total + of(score), 0);
  const changes = scored.filter(({ hasChange }) => hasChange).length;
  const found = sum(({ isInTime }) => Number(isInTime));
  const falseAlarms = sum(score => score.falseAlarms);
  return {
    streams: streams.length,
    falseAlarms,
    falseOnWeekends: sum(score => score.falseOnWeekends),
    falsePerThousandWindows: (1000 * falseAlarms) / sum(({ quietWindows }) => quietWindows),
    found: changes > 0 ? found / changes : null,
    rightCauses: found > 0 ? sum(({ isRightCause }) => Number(isRightCause)) / found : null,
  };
}

/** Shows one stream a line: what was wanted, and what was said. */
export function caseTable(streams: readonly JudgedStream[]): string {
  return formatTable(
    streams.filter(hasExpectation).map(stream => {
      const { name, seed, change } = stream.expectation;
      const score = scoreWanted(stream);
      const { first, delayMs } = score;
      return {
        case: name,
        seed,
        wanted: change ? (change.causes[0] ?? 'a change') : 'silence',
        within: change ? inHours(change.withinMs) : '',
        'found after': delayMs === null ? (change ? 'missed' : '') : inHours(delayMs),
        'in time': change ? yesOrNo(score.isInTime) : '',
        'first cause': first?.raised.cause ?? '',
        right: score.isInTime ? yesOrNo(score.isRightCause) : '',
        feature: first?.raised.feature ?? '',
        segment: first?.raised.segment ?? '',
        events: change ? score.laterAlarms : '',
        false: score.falseAlarms,
        weekends: score.falseOnWeekends,
      };
    }),
  );
}

/** Shows the means over the streams in which silence is wanted, those with a change, and all. */
export function wantedTable(streams: readonly JudgedStream[]): string {
  const expected = streams.filter(hasExpectation);
  const parts = {
    'silence wanted': expected.filter(({ expectation }) => expectation.change === null),
    'change wanted': expected.filter(({ expectation }) => expectation.change !== null),
    all: expected,
  };
  return formatTable(
    Object.entries(parts)
      .filter(([, part]) => part.length > 0)
      .map(([name, part]) => {
        const means = wantedMeans(part);
        return {
          streams: name,
          number: means.streams,
          'false alarms': means.falseAlarms,
          'per 1000 windows': means.falsePerThousandWindows.toFixed(2),
          'on weekends after the second': means.falseOnWeekends,
          'found in time': means.found?.toFixed(3) ?? '-',
          'first cause right': means.rightCauses?.toFixed(3) ?? '-',
        };
      }),
  );
}

function inHours(ms: number): string {
  return describeDuration(Math.round(ms / hourMs) * hourMs);
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

import { dayMs } from '../../services/shared/duration.ts';
import type { Alarm, JudgedStream } from '../judge/judgeStream.ts';
import type { Expectation, WantedChange } from '../streams/expectation.ts';

/** How far the alarms of a stream are those that a person wants. */
export interface WantedScore {
  /** Alarms where silence is wanted: about windows that end before the change, or all of them. */
  falseAlarms: number;
  /** How many of these came on a weekend, or the Monday after it, after the second weekend. */
  falseOnWeekends: number;
  /** Windows in which an alarm would be false. */
  quietWindows: number;
  /** The first alarm about a window that ends after the change; null if none came or none is wanted. */
  first: Alarm | null;
  /** Time from the onset to that alarm. */
  delayMs: number | null;
  isInTime: boolean;
  /** Whether its cause, as it was first raised, is a right one. */
  isRightCause: boolean;
  /** Alarms about windows that end after the change. */
  laterAlarms: number;
}

/** A stream whose wanted alarms are known. */
export type ExpectedStream = JudgedStream & { expectation: Expectation };

export function hasExpectation(stream: JudgedStream): stream is ExpectedStream {
  return stream.expectation !== null;
}

/** Scores the alarms of a stream. An alarm is timed by the clock when it was raised. */
export function scoreWanted({
  truth,
  windowRows,
  expectation: { change, ignored },
  alarms,
}: ExpectedStream): WantedScore {
  const counted = alarms
    .filter(({ raised }) =>
      ignored.every(
        ({ fromMs, untilMs }) => raised.windowEnd <= fromMs || raised.windowStart >= untilMs,
      ),
    )
    .sort((a, b) => a.raisedAtMs - b.raisedAtMs);
  const isLater = ({ raised }: Alarm) => change !== null && raised.windowEnd > change.onsetMs;
  const falseAlarms = counted.filter(alarm => !isLater(alarm));
  const later = counted.filter(isLater);
  const first = later[0] ?? null;
  const delayMs = first && change ? first.raisedAtMs - change.onsetMs : null;
  const isInTime = delayMs !== null && delayMs <= change!.withinMs;
  const quietRows = change ? truth.rowAt(change.onsetMs) : truth.rows;
  return {
    falseAlarms: falseAlarms.length,
    falseOnWeekends: falseAlarms.filter(({ raised }) =>
      isOnWeekend(raised.windowStart, truth.rowAt),
    ).length,
    quietWindows: quietRows / windowRows,
    first,
    delayMs,
    isInTime,
    isRightCause: isInTime && isRight(first!, change!),
    laterAlarms: later.length,
  };
}

function isRight({ raised }: Alarm, { causes }: WantedChange): boolean {
  return causes.length === 0 || causes.includes(raised.cause);
}

/** The first two weekends after the start of a stream are those from which it has to learn. */
function isOnWeekend(timeMs: number, rowAt: (timeMs: number) => number): boolean {
  const weekday = new Date(timeMs).getUTCDay();
  const rowsPerDay = rowAt(dayMs) - rowAt(0);
  return (weekday === 6 || weekday <= 1) && rowAt(timeMs) >= 14 * rowsPerDay;
}

import { describe, expect, it } from 'vitest';
import type { Alarm } from '../../../quality/judge/judgeStream.ts';
import { type ExpectedStream, scoreWanted } from '../../../quality/report/wantedScore.ts';
import { caseTable, wantedMeans, wantedTable } from '../../../quality/report/wantedTable.ts';
import type { Expectation } from '../../../quality/streams/expectation.ts';
import type { DriftEvent } from '../../../services/shared/contracts.ts';
import { dayMs, hourMs } from '../../../services/shared/duration.ts';

/** A Monday. */
const startMs = Date.UTC(2026, 0, 5);
const onsetMs = startMs + 40 * dayMs;

function alarm(windowStart: number, fields: Partial<DriftEvent> = {}, raisedAtMs?: number): Alarm {
  const windowEnd = windowStart + hourMs;
  const raised = {
    cause: 'data_drift',
    feature: 'amount',
    segment: '',
    windowStart,
    windowEnd,
    ...fields,
  } as DriftEvent;
  return { event: raised, raised, raisedAtMs: raisedAtMs ?? windowEnd };
}

const wantedChange: Expectation['change'] = {
  onsetMs,
  withinMs: 3 * hourMs,
  causes: ['data_quality', 'data_drift'],
};

/** A stream of 60 days in windows of an hour. */
function stream(
  alarms: readonly Alarm[],
  change: Expectation['change'] = wantedChange,
  ignored: Expectation['ignored'] = [],
): ExpectedStream {
  return {
    truth: {
      dataset: 'small',
      type: 'case',
      mode: 'ABRUPT',
      starts: [],
      maxDelay: 3,
      rows: 60 * 24,
      monitoredFrom: 0,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / hourMs,
    },
    windowRows: 1,
    daysMonitored: 60,
    expectation: { name: 'case', seed: 0, change, ignored },
    alarms,
  };
}

describe('the score of what a person wants', () => {
  it('takes the first alarm about a window that ends after the change', () => {
    const score = scoreWanted(
      stream([alarm(onsetMs + 2 * hourMs), alarm(onsetMs + hourMs, { cause: 'data_quality' })]),
    );
    expect(score).toMatchObject({
      delayMs: 2 * hourMs,
      isInTime: true,
      isRightCause: true,
      laterAlarms: 2,
      falseAlarms: 0,
      quietWindows: 40 * 24,
      first: { raised: { cause: 'data_quality' } },
    });
  });

  it('takes an alarm at the last moment as in time, and one after it as too late but not false', () => {
    expect(scoreWanted(stream([alarm(onsetMs + 2 * hourMs)])).isInTime).toBe(true);
    expect(scoreWanted(stream([alarm(onsetMs + 3 * hourMs)]))).toMatchObject({
      delayMs: 4 * hourMs,
      isInTime: false,
      falseAlarms: 0,
    });
    expect(scoreWanted(stream([alarm(onsetMs, {}, onsetMs + 4 * hourMs)])).isInTime).toBe(false);
  });

  it('takes an alarm about windows before the change as false, also if it comes after it', () => {
    expect(scoreWanted(stream([alarm(onsetMs - hourMs, {}, onsetMs + hourMs)]))).toMatchObject({
      falseAlarms: 1,
      first: null,
      isInTime: false,
    });
  });

  it('says whether the first cause is a right one', () => {
    const isRight = (cause: DriftEvent['cause']) =>
      scoreWanted(stream([alarm(onsetMs, { cause })])).isRightCause;
    expect(isRight('data_drift')).toBe(true);
    expect(isRight('concept_drift')).toBe(false);
  });

  it('takes each alarm as false where silence is wanted, and counts those on later weekends', () => {
    const saturday = startMs + 5 * dayMs;
    const alarms = [0, 7, 14, 16].map(days => alarm(saturday + days * dayMs));
    const friday = alarm(saturday + 13 * dayMs);
    expect(scoreWanted(stream([...alarms, friday], null))).toMatchObject({
      falseAlarms: 5,
      falseOnWeekends: 2,
      quietWindows: 60 * 24,
      isInTime: false,
    });
  });

  it('ignores alarms about windows that touch an interval of which nothing is wanted', () => {
    const ignored = [{ fromMs: onsetMs - 10 * hourMs, untilMs: onsetMs - 5 * hourMs }];
    const at = (hours: number) => alarm(onsetMs - hours * hourMs);
    expect(scoreWanted(stream([at(10), at(6)], undefined, ignored)).falseAlarms).toBe(0);
    expect(scoreWanted(stream([at(11), at(5)], undefined, ignored)).falseAlarms).toBe(2);
  });
});

describe('the tables of what a person wants', () => {
  const streams = [
    stream([alarm(onsetMs)]),
    stream([alarm(onsetMs, { cause: 'concept_drift' }), alarm(startMs + dayMs)]),
    stream([]),
    stream([alarm(startMs + 12 * dayMs)], null),
  ];

  it('have means over streams', () => {
    expect(wantedMeans(streams)).toEqual({
      streams: 4,
      falseAlarms: 2,
      falseOnWeekends: 0,
      falsePerThousandWindows: 2000 / (3 * 40 * 24 + 60 * 24),
      found: 2 / 3,
      rightCauses: 1 / 2,
    });
    expect(wantedMeans([streams[3]!])).toMatchObject({ found: null, rightCauses: null });
    expect(wantedTable(streams).split('\n')).toHaveLength(4);
  });

  it('have one stream a line', () => {
    const lines = caseTable(streams).split('\n');
    expect(lines[1]).toMatch(
      /^case +0 +data_quality +3 h +1 h +yes +data_drift +yes +amount +1 +0/,
    );
    expect(lines[3]).toMatch(/ missed +no /);
    expect(lines[4]).toMatch(/^case +0 +silence +1 +0$/);
  });
});

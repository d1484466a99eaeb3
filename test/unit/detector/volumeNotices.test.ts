import { describe, expect, it } from 'vitest';
import { volumeNotices } from '../../../services/detector/events/volumeNotices.ts';
import { dayMs, hourMs } from '../../../services/shared/duration.ts';
import { randomness } from './syntheticStream.ts';

const falseAlarms = 0.0005;
/** A Monday. */
const startMs = Date.UTC(2026, 0, 5);

const isWeekend = (timeMs: number) => [0, 6].includes(new Date(timeMs).getUTCDay());

/** Returns how many records come at a time: more by day, and a tenth of it at weekends. */
function usualAt(timeMs: number, windowSizeMs: number): number {
  const ofDay = 1 + 0.8 * Math.sin((2 * Math.PI * (timeMs % dayMs)) / dayMs);
  const perHour = 120 * (windowSizeMs < dayMs ? ofDay : 1) * (isWeekend(timeMs) ? 0.1 : 1);
  return (perHour * windowSizeMs) / hourMs;
}

/**
 * Returns the notices after some days of a stream.
 * @param factorAt by which the usual records are multiplied at a time; 0 for none
 */
function noticesAfter(
  days: number,
  windowSizeMs: number,
  factorAt: (day: number) => number = () => 1,
) {
  const random = randomness(8);
  const records = new Map<number, number>();
  const untilMs = startMs + days * dayMs;
  for (let timeMs = startMs; timeMs < untilMs; timeMs += windowSizeMs) {
    const factor = factorAt((timeMs - startMs) / dayMs);
    const count = Math.round(
      usualAt(timeMs, windowSizeMs) * factor * Math.exp(0.1 * random.normal()),
    );
    if (count > 0) records.set(timeMs, count);
  }
  return volumeNotices({ windowSizeMs, records, untilMs }, falseAlarms);
}

const codes = (...options: Parameters<typeof noticesAfter>) =>
  noticesAfter(...options).map(({ code }) => code);

describe.each([
  ['15 minutes', hourMs / 4],
  ['an hour', hourMs],
  ['a day', dayMs],
])('the volume in windows of %s', (_, windowSizeMs) => {
  it('is no news as long as it is usual, also at night and at weekends', () => {
    for (let days = 1; days <= 56; days++) expect(codes(days, windowSizeMs)).toEqual([]);
  });

  it('is told when it falls to a half or less, or to twice as much or more', () => {
    const from = (factor: number) => (day: number) => (day >= 44 ? factor : 1);
    expect(codes(45, windowSizeMs, from(0.4))).toEqual(['fewer-predictions']);
    expect(codes(45, windowSizeMs, from(5))).toEqual(['more-predictions']);
    expect(codes(45, windowSizeMs, from(0.7))).toEqual([]);
    expect(codes(45, windowSizeMs, from(1.5))).toEqual([]);
  });

  it('is told as long as it lasts, until it has become usual', () => {
    const tenth = (day: number) => (day >= 43 ? 0.1 : 1);
    for (const days of [44, 50, 57, 61])
      expect(codes(days, windowSizeMs, tenth)).toEqual(['fewer-predictions']);
    expect(codes(100, windowSizeMs, tenth)).toEqual([]);
  });

  it('is told after a pause', () => {
    const pause = (day: number) => (day >= 42 && day < 44 ? 0 : 1);
    const [notice] = noticesAfter(windowSizeMs < dayMs ? 44.25 : 45, windowSizeMs, pause);
    expect(notice).toMatchObject({ code: 'fewer-predictions', subject: '' });
    expect(codes(46, windowSizeMs, pause)).toEqual([]);
  });

  it('is not judged before three weeks and some days are known', () => {
    const dropped = (days: number) => codes(days, windowSizeMs, day => (day >= days - 1 ? 0.1 : 1));
    expect(dropped(18)).toEqual([]);
    expect(dropped(36)).toEqual(['fewer-predictions']);
  });
});

describe('the volume of hours', () => {
  it('names the times and the numbers', () => {
    const [notice] = noticesAfter(45, hourMs, day => (day >= 44 ? 0 : 1));
    expect(notice).toMatchObject({
      sinceMs: startMs + 44 * dayMs,
      evidence: expect.stringMatching(
        /^From 2026-02-18 00:00 to 2026-02-19 00:00 UTC there were 0, where about 2\d{3} are usual\.$/,
      ),
    });
  });

  it('may burst where it did so before', () => {
    const burstsOn = (days: number[]) => (day: number) => (days.includes(Math.floor(day)) ? 4 : 1);
    expect(codes(45, hourMs, burstsOn([31, 38, 44]))).toEqual([]);
    expect(codes(45, hourMs, burstsOn([44]))).toEqual(['more-predictions']);
  });

  it('says nothing of streams without windows', () => {
    const nothing = { windowSizeMs: hourMs, records: new Map(), untilMs: startMs };
    expect(volumeNotices(nothing, falseAlarms)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import type { PeerStream, PracticePeer } from '../../../quality/peers/practicePeers.ts';
import { practicePeerTable } from '../../../quality/peers/practicePeerTable.ts';
import { onsetDay, onsetMs } from '../../../quality/streams/practiceStream.ts';
import { dayMs } from '../../../services/shared/duration.ts';

/** Windows of the days before and after the onset, with what is red on some of them. */
function stream(
  redByDay: Record<number, string[]>,
  withinDays: number | null,
  labelDelayDays = 0,
): PeerStream {
  const withinMs = ((withinDays ?? 0) + labelDelayDays) * dayMs;
  return {
    expectation: {
      name: 'case',
      seed: 0,
      change: withinDays === null ? null : { onsetMs, withinMs, causes: [] },
      ignored: [],
    },
    labelDelayDays,
    windows: Array.from({ length: 20 }, (_, index) => {
      const day = onsetDay - 10 + index;
      return { day, red: redByDay[day - onsetDay] ?? [] };
    }),
  };
}

/** Returns the cells of the row of a reading, by their titles. */
function rowOf(peers: readonly PracticePeer[], reading: string): Record<string, string> {
  const cells = (line: string) => line.trimEnd().split(/ {2,}/);
  const [titles, ...rows] = practicePeerTable(peers, []).split('\n').map(cells);
  const row = rows.find(([, title]) => title === reading)!;
  return Object.fromEntries(titles!.map((title, index) => [title, row[index]!]));
}

const both = (evidently: PeerStream[], nannyml: PeerStream[] = evidently): PracticePeer[] => [
  { name: 'evidently', version: '1', streams: evidently },
  { name: 'nannyml', version: '2', streams: nannyml },
];

describe('the table of peers on practical cases', () => {
  it('takes what is red on following days as one alarm, per kind or per column', () => {
    const red = { [-6]: ['drift:a'], [-5]: ['drift:a', 'drift:b'], [-2]: ['missing:a'] };
    const row = rowOf(both([stream(red, null)]), 'any column, missing values, performance tests');
    expect(row['false alarms per 1000']).toBe('100.0 / 150.0');
    expect(row['red quiet windows']).toBe('15 %');
    expect(row['found in time, of 0']).toBe('0 / 0');
  });

  it('reads only the kinds of tests that a reading is about', () => {
    const red = { [-6]: ['drift:a'], [-5]: ['missing:a'], [-3]: ['performance:f1'] };
    const peers = both([stream(red, 1)]);
    const falseAlarms = (reading: string) => rowOf(peers, reading)['false alarms per 1000'];
    expect(falseAlarms('dataset verdict, missing values')).toBe('100.0 / 100.0');
    expect(falseAlarms('any alert')).toBe('300.0 / 300.0');
    expect(falseAlarms('realised performance, missing and unseen values')).toBe('200.0 / 200.0');
  });

  it('finds a change by an alarm that begins after it and in time, less the delay of labels', () => {
    const found = (red: Record<number, string[]>, labelDelayDays = 0) => {
      const row = rowOf(both([stream(red, 2, labelDelayDays)]), 'any alert');
      return [row['found in time, of 1'], row['mean delay in days'], row['as often by luck']];
    };
    expect(found({ 1: ['drift:a'] })).toEqual(['1 / 1', '2.0 / 2.0', '0 / 0']);
    expect(found({ 2: ['drift:a'] })).toEqual(['0 / 0', '- / -', '0 / 0']);
    expect(found({ 2: ['drift:a'] }, 5)).toEqual(['0 / 0', '- / -', '0 / 0']);
    expect(found({ [-1]: ['drift:a'], 0: ['drift:a', 'drift:b'] })).toEqual([
      '0 / 1',
      '- / 1.0',
      '1 / 1',
    ]);
  });
});

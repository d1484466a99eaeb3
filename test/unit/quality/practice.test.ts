import { describe, expect, it } from 'vitest';
import { countGenerated, type StreamRow } from '../../../quality/streams/generatedStream.ts';
import { practiceCases } from '../../../quality/streams/practiceCases.ts';
import {
  onsetMs,
  type PracticeCase,
  practiceRows,
  practiceStartMs,
  practiceStream,
  type World,
} from '../../../quality/streams/practiceStream.ts';
import { dayMs, hourMs } from '../../../services/shared/duration.ts';

const caseOf = (name: string) => practiceCases.find(one => one.name === name)!;
const withWorld = (practiceCase: PracticeCase, world: Partial<World>): PracticeCase => ({
  ...practiceCase,
  world: { ...practiceCase.world, ...world },
});
const rowsOf = (practiceCase: PracticeCase, seed = 0) => [...practiceRows(practiceCase, seed)];

/** The records of a case before its onset and in the weeks after it. */
class Halves {
  readonly before: readonly StreamRow[];
  readonly after: readonly StreamRow[];

  constructor(rows: readonly StreamRow[]) {
    this.before = rows.filter(({ timeMs }) => timeMs < onsetMs);
    this.after = rows.filter(({ timeMs }) => timeMs >= onsetMs);
  }

  /** Returns a mean before and after the onset. */
  means(of: (row: StreamRow) => number | boolean): [number, number] {
    return [mean(this.before, of), mean(this.after, of)];
  }

  /** Returns by how much a mean rises at the onset. */
  rise(of: (row: StreamRow) => number | boolean): number {
    const [before, after] = this.means(of);
    return after - before;
  }

  /** Returns the traffic of a part of the time after the onset, as a share of that before it. */
  traffic(fromDay: number, untilDay: number): number {
    const part = this.after.filter(({ timeMs }) => {
      const days = (timeMs - onsetMs) / dayMs;
      return days >= fromDay && days < untilDay;
    });
    return part.length / (untilDay - fromDay) / (this.before.length / 40);
  }
}

function mean(rows: readonly StreamRow[], of: (row: StreamRow) => number | boolean): number {
  return rows.reduce((sum, row) => sum + Number(of(row)), 0) / rows.length;
}

const number = (name: string) => (row: StreamRow) => Number(row.features[name]);
const is =
  (name: string, value: unknown) =>
  ({ features }: StreamRow) =>
    features[name] === value;
const isRight = (row: StreamRow) => row.prediction === row.label;
const isPredicted = ({ prediction }: StreamRow) => prediction === 'yes';
const isPositive = ({ label }: StreamRow) => label === 'yes';
const logitOf = ({ score }: StreamRow) => Math.log(score! / (1 - score!));
const ofCountry = (rows: readonly StreamRow[], country: string) =>
  rows.filter(({ features }) => features.country === country);

function expectRenamed({ before, after }: Halves, from: string, to: string): void {
  expect(ofCountry(before, to)).toHaveLength(0);
  expect(ofCountry(after, from)).toHaveLength(0);
  const share = ofCountry(before, from).length / before.length;
  expect(ofCountry(after, to).length / after.length / share).toBeCloseTo(1, 0);
}

/** The weather moves the scores, too, but by less. */
function expectScoresMoved(halves: Halves): void {
  expect(halves.rise(logitOf)).toBeGreaterThan(0.35);
  expect(halves.rise(logitOf)).toBeLessThan(0.65);
}

function recallOf(rows: readonly StreamRow[]): number {
  return mean(rows.filter(isPositive), isPredicted);
}

function expectSegmentWrong({ before, after }: Halves): void {
  expect(mean(ofCountry(before, 'LU'), isRight)).toBeGreaterThan(0.6);
  expect(mean(ofCountry(after, 'LU'), isRight)).toBeCloseTo(0.2, 1);
  const others = (rows: readonly StreamRow[]) => rows.filter(row => !is('country', 'LU')(row));
  expect(mean(others(after), isRight)).toBeCloseTo(mean(others(before), isRight), 1);
}

/** What changes at the onset of each case that changes something. */
const changes: Record<string, (halves: Halves) => void> = {
  'new-code': ({ before, after }) => {
    expect(new Set(before.map(({ codeVersion }) => codeVersion))).toEqual(new Set(['41']));
    expect(new Set(after.map(({ codeVersion }) => codeVersion))).toEqual(new Set(['42']));
  },
  'campaign-same': halves => {
    expect(halves.traffic(0, 4)).toBeGreaterThan(4);
    expect(halves.traffic(4, 20)).toBeCloseTo(1, 0);
  },
  sampling: halves => expect(halves.traffic(0, 20)).toBeCloseTo(0.1, 1),
  outage: halves => {
    expect(halves.traffic(0, 2)).toBe(0);
    expect(halves.traffic(2, 20)).toBeCloseTo(1, 0);
  },
  renamed: halves => expectRenamed(halves, 'IT', 'Italy'),
  'renamed-rare': halves => expectRenamed(halves, 'LU', 'Luxembourg'),
  fahrenheit: halves => expect(halves.rise(number('temperature'))).toBeGreaterThan(30),
  hundredfold: halves =>
    expect(halves.rise(row => Math.log(number('amount')(row)))).toBeCloseTo(Math.log(100), 0),
  'hundredfold-country': ({ before, after }) => {
    const logAmount = (row: StreamRow) => Math.log(number('amount')(row));
    const rise = (country: string) =>
      mean(ofCountry(after, country), logAmount) - mean(ofCountry(before, country), logAmount);
    expect(rise('ES')).toBeCloseTo(Math.log(100), 0);
    expect(rise('DE')).toBeCloseTo(0, 0);
  },
  dropped: ({ before, after }) => {
    expect(before.every(({ features }) => 'usage' in features)).toBe(true);
    expect(after.some(({ features }) => 'usage' in features)).toBe(false);
  },
  text: ({ before, after }) => {
    expect(new Set(before.map(({ features }) => typeof features.amount))).toEqual(
      new Set(['number']),
    );
    expect(new Set(after.map(({ features }) => typeof features.amount))).toEqual(
      new Set(['string']),
    );
  },
  stuck: ({ before, after }) => {
    expect(new Set(before.map(number('sensor'))).size).toBeGreaterThan(30);
    expect(new Set(after.map(number('sensor'))).size).toBe(1);
  },
  missing: halves => expect(halves.rise(is('usage', null))).toBeCloseTo(0.1, 1),
  'missing-six-hours': ({ after }) => {
    const missing = after
      .filter(is('usage', null))
      .map(({ timeMs }) => (timeMs - onsetMs) / hourMs);
    expect(missing.length).toBeGreaterThan(0);
    expect(Math.min(...missing)).toBeGreaterThanOrEqual(9);
    expect(Math.max(...missing)).toBeLessThan(15);
  },
  'segment-null': ({ before, after }) => {
    expect(before.some(is('amount', null))).toBe(false);
    expect(mean(ofCountry(after, 'LU'), is('amount', null))).toBe(1);
    expect(ofCountry(after, 'DE').some(is('amount', null))).toBe(false);
  },
  bots: halves => {
    const [before, after] = halves.means(is('device', 'headless'));
    expect(before).toBe(0);
    expect(after).toBeCloseTo(0.05, 2);
  },
  ramp: ({ after }) => {
    const day = (index: number) =>
      after.filter(({ timeMs }) => Math.floor((timeMs - onsetMs) / dayMs) === index);
    const rise = mean(day(19), number('usage')) - mean(day(0), number('usage'));
    expect(rise).toBeGreaterThan(1);
    expect(rise).toBeLessThan(3);
  },
  inflation: halves => {
    const rise = halves.rise(row => Math.log(number('amount')(row)));
    expect(rise).toBeGreaterThan(0.08);
    expect(rise).toBeLessThan(0.2);
  },
  'campaign-others': halves => {
    expect(halves.traffic(0, 4)).toBeGreaterThan(4);
    expect(halves.rise(row => number('tenure')(row) < 3)).toBeGreaterThan(0.2);
  },
  'mobile-lost': halves => {
    expect(halves.rise(is('device', 'mobile'))).toBeLessThan(-0.25);
    expect(halves.traffic(0, 20)).toBeLessThan(0.7);
  },
  'half-deviation': halves => expect(halves.rise(number('signal'))).toBeCloseTo(0.5, 1),
  warmer: halves => {
    const rise = halves.rise(number('temperature'));
    expect(rise).toBeGreaterThan(2);
    expect(rise).toBeLessThan(6);
  },
  'segment-gone': ({ before, after }) => {
    expect(ofCountry(before, 'LU').length / before.length).toBeCloseTo(0.02, 2);
    expect(ofCountry(after, 'LU')).toHaveLength(0);
  },
  'scores-new-code': halves => {
    expectScoresMoved(halves);
    expect(halves.after[0]!.codeVersion).not.toBe(halves.before[0]!.codeVersion);
  },
  scores: halves => {
    expectScoresMoved(halves);
    expect(halves.rise(isPredicted)).toBeGreaterThan(0.12);
    expect(halves.after[0]!.codeVersion).toBe(halves.before[0]!.codeVersion);
  },
  'scores-unlabelled': halves => expectScoresMoved(halves),
  'one-class': ({ before, after }) => {
    expect(mean(before, isPredicted)).toBeGreaterThan(0.1);
    expect(mean(after, isPredicted)).toBe(0);
  },
  'wrong-labels': halves => expect(halves.rise(isRight)).toBeCloseTo(-0.11, 1),
  'wrong-labels-late': halves => expect(halves.rise(isRight)).toBeCloseTo(-0.11, 1),
  'less-accurate': halves => {
    const [before, after] = halves.means(isRight);
    expect(before - after).toBeGreaterThan(0.03);
    expect(before - after).toBeLessThan(0.06);
    expect(halves.rise(isPositive)).toBeCloseTo(0, 1);
  },
  'labels-negative': ({ after }) => expect(mean(after, isPositive)).toBe(0),
  'segment-wrong': expectSegmentWrong,
  'segment-wrong-declared': expectSegmentWrong,
  'fraud-recall-halves': ({ before, after }) => {
    expect(recallOf(before)).toBeCloseTo(0.8, 1);
    expect(recallOf(after)).toBeCloseTo(0.4, 1);
  },
  'fraud-recall-halves-20000': ({ before, after }) =>
    expect(recallOf(after)).toBeLessThan(recallOf(before) - 0.2),
  'fraud-none-found': ({ before, after }) => {
    expect(recallOf(before)).toBeGreaterThan(0.6);
    expect(mean(after, isPredicted)).toBe(0);
  },
  'fraud-false-alarms': ({ before, after }) => {
    const falseAlarms = (rows: readonly StreamRow[]) =>
      mean(rows, row => isPredicted(row) && !isPositive(row));
    expect(falseAlarms(before)).toBeCloseTo(0.001, 3);
    expect(falseAlarms(after)).toBeCloseTo(0.012, 2);
  },
};

const changing = practiceCases.filter(({ change }) => change !== undefined);

describe('practical cases', { timeout: 60_000 }, () => {
  it('have names of their own, and a check of what they change', () => {
    expect(new Set(practiceCases.map(({ name }) => name)).size).toBe(practiceCases.length);
    expect(Object.keys(changes).sort()).toEqual(changing.map(({ name }) => name).sort());
  });

  it('are the same in every run and at every window size, and differ from seed to seed', () => {
    const few = withWorld(caseOf('mobile-lost'), { recordsPerDay: 50 });
    const rows = rowsOf(few);
    expect(rowsOf(few)).toEqual(rows);
    expect([...practiceStream(few, 0, hourMs).rows()]).toEqual(rows);
    expect([...practiceStream(few, 0, dayMs).rows()]).toEqual(rows);
    expect(rowsOf(few, 1)).not.toEqual(rows);
    const times = rows.map(({ timeMs }) => timeMs);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
  });

  it.each(changing.map(({ name }) => name))('change nothing before the onset: %s', name => {
    const few = withWorld(caseOf(name), { recordsPerDay: 50 });
    const earlier = (rows: readonly StreamRow[]) => rows.filter(({ timeMs }) => timeMs < onsetMs);
    const { change: _, ...unchanged } = few;
    expect(earlier(rowsOf(few))).toEqual(earlier(rowsOf(unchanged)));
  });

  it.each(Object.entries(changes))('change at the onset what they say: %s', (name, check) => {
    const isRare = name.startsWith('fraud');
    check(new Halves(rowsOf(withWorld(caseOf(name), { recordsPerDay: isRare ? 3000 : 800 }))));
  });

  it('usually have 3,000 records a day, 13 % predicted positives and an accuracy of .78', () => {
    const rows = rowsOf(caseOf('control'));
    expect(rows.length / 60 / 3000).toBeCloseTo(1, 1);
    expect(mean(rows, isPredicted)).toBeGreaterThan(0.11);
    expect(mean(rows, isPredicted)).toBeLessThan(0.15);
    expect(mean(rows, isRight)).toBeCloseTo(0.78, 1);
    expect(practiceStartMs).toBe(Date.parse('2026-09-15'));
  });

  it('of frauds have .5 % positives', () => {
    expect(mean(rowsOf(caseOf('fraud-none-found')), isPositive)).toBeCloseTo(0.005, 3);
  });

  it.each([
    ['control', 0.7, 0],
    ['weekend-tenth', 0.1, 0],
    ['weekend-tenth-mix', 0.1, 0.4],
    ['weekend-mix', 0.4, 0.4],
  ])('have quieter or different weekends: %s', (name, traffic, deviations) => {
    const isWeekend = ({ timeMs }: StreamRow) => [0, 6].includes(new Date(timeMs).getUTCDay());
    const rows = rowsOf(caseOf(name)).slice(0, 100_000);
    const weekends = rows.filter(isWeekend);
    const others = rows.filter(row => !isWeekend(row));
    expect((weekends.length * 5) / (others.length * 2)).toBeCloseTo(traffic, 1);
    const logAmount = (row: StreamRow) => Math.log(number('amount')(row)) / 0.8;
    expect(mean(weekends, logAmount) - mean(others, logAmount)).toBeCloseTo(deviations, 1);
  });

  it('have a holiday on the Monday after the onset', () => {
    const monday = (week: number) =>
      rowsOf(caseOf('holiday')).filter(
        ({ timeMs }) => Math.floor((timeMs - onsetMs) / dayMs) === 1 + 7 * week,
      ).length;
    expect(monday(0) / monday(1)).toBeCloseTo(0.4, 1);
  });

  it('end summer time at the onset: the traffic of the morning comes an hour later', () => {
    const rows = rowsOf(caseOf('summer-time'));
    /** The hour around which the traffic of a day lies, as an angle. */
    const middle = (from: number, until: number) => {
      const angles = rows
        .filter(({ timeMs }) => timeMs >= from && timeMs < until)
        .map(({ timeMs }) => (2 * Math.PI * (timeMs % dayMs)) / dayMs);
      const sum = (of: (angle: number) => number) => angles.reduce((all, one) => all + of(one), 0);
      return (Math.atan2(sum(Math.sin), sum(Math.cos)) * 24) / (2 * Math.PI);
    };
    const before = middle(practiceStartMs, onsetMs);
    expect(middle(onsetMs + dayMs, onsetMs + 20 * dayMs) - before).toBeCloseTo(1, 0);
  });

  it('log a counter and the day of the year where they say so', () => {
    const rows = rowsOf(withWorld(caseOf('counter-date'), { recordsPerDay: 50 }));
    expect(rows.map(number('counter'))).toEqual(rows.map((_, index) => index + 1));
    expect([...new Set(rows.map(number('date')))]).toEqual(
      Array.from({ length: 60 }, (_, day) => 258 + day),
    );
  });

  it('have late labels, none, or declared segments where they say so', () => {
    const counted = (name: string) => {
      const few = withWorld(caseOf(name), { recordsPerDay: 50 });
      const stream = practiceStream(few, 0, dayMs);
      return countGenerated(stream, stream.labelling!)!;
    };
    const [late] = counted('labels-late').labelRevisions;
    expect(late!.knownAtMs - late!.startMs).toBe(15 * dayMs);
    expect(counted('scores-unlabelled').labelRevisions).toEqual([]);
    expect(counted('control').segments.size).toBe(0);
    const declared = counted('segment-wrong-declared');
    expect([...declared.segments.keys()]).toContain('country=LU');
    const records = [...declared.segments.values()].flatMap(({ windows }) => windows);
    expect(records.reduce((sum, window) => sum + window.records, 0)).toBe(
      declared.windows.reduce((sum, window) => sum + window.records, 0),
    );
  });
});

import { formatTable } from '../../bin/terminal/formatTable.ts';
import { dayMs } from '../../services/shared/duration.ts';
import type { JudgedStream } from '../judge/judgeStream.ts';
import { hasExpectation, scoreWanted } from '../report/wantedScore.ts';
import { practiceStartMs } from '../streams/practiceStream.ts';
import type { PeerStream, PracticePeer } from './practicePeers.ts';

/** A way in which a person may read what a peer says: which of its red tests are an alarm. */
interface Reading {
  peer: string;
  title: string;
  kinds: readonly string[];
}

const readings: readonly Reading[] = [
  {
    peer: 'evidently',
    title: 'dataset verdict, missing values',
    kinds: ['dataset', 'missing', 'failed'],
  },
  {
    peer: 'evidently',
    title: 'dataset verdict, missing values, performance tests',
    kinds: ['dataset', 'missing', 'failed', 'performance'],
  },
  {
    peer: 'evidently',
    title: 'any column, missing values, performance tests',
    kinds: ['drift', 'missing', 'failed', 'performance'],
  },
  {
    peer: 'nannyml',
    title: 'any alert',
    kinds: ['drift', 'missing', 'unseen', 'performance'],
  },
  {
    peer: 'nannyml',
    title: 'realised performance, missing and unseen values',
    kinds: ['missing', 'unseen', 'performance'],
  },
];

/** Windows of a day, counted from the start of the stream. */
interface Alarms {
  /** Days before a change, or on which silence is wanted. */
  quietDays: number;
  redDays: number;
  falseAlarms: number;
  /** null where no change is wanted. */
  change: { delayDays: number | null; isByLuck: boolean } | null;
}

/**
 * Shows what a person would have got elsewhere. What is red on following days is one alarm: per
 * kind (drift, missing values, performance) or per column and metric.
 */
export function practicePeerTable(
  peers: readonly PracticePeer[],
  judged: readonly JudgedStream[],
): string {
  const rows = readings.map(({ peer: name, title, kinds }) => {
    const { version, streams } = peers.find(peer => peer.name === name)!;
    const alarms = (of: (red: string) => string) =>
      streams.map(stream => peerAlarms(stream, red => (isOf(red, kinds) ? of(red) : null)));
    return rowOf(
      `${name} ${version}`,
      title,
      alarms(kindOf),
      alarms(red => red),
    );
  });
  const own = judged.filter(hasExpectation).map(stream => {
    const { falseAlarms, quietWindows, delayMs, isInTime } = scoreWanted(stream);
    const { change } = stream.expectation;
    return {
      quietDays: quietWindows,
      redDays: falseAlarms,
      falseAlarms,
      change: change && {
        delayDays: isInTime ? (delayMs! - labelDelayMs(stream)) / dayMs : null,
        isByLuck: stream.alarms.some(({ raisedAtMs }) =>
          isBefore(raisedAtMs, change.onsetMs, change.withinMs - labelDelayMs(stream)),
        ),
      },
    };
  });
  return formatTable([...rows, rowOf('Driftloop', 'drift events', own, own)]);
}

function labelDelayMs({ truth: { labelDelay, rowAt } }: JudgedStream): number {
  return (labelDelay * dayMs) / (rowAt(dayMs) - rowAt(0));
}

function isBefore(timeMs: number, onsetMs: number, withinMs: number): boolean {
  return timeMs <= onsetMs && timeMs > onsetMs - withinMs;
}

const kindOf = (red: string) => red.split(':')[0]!;

/** @example isOf('drift:amount', ['drift']) // true */
function isOf(red: string, kinds: readonly string[]): boolean {
  return kinds.includes(kindOf(red)) || (red.endsWith('failed') && kinds.includes('failed'));
}

/** @param alarmOf name of the alarm that a red test is a part of, or null */
function peerAlarms(
  { expectation: { change }, labelDelayDays, windows }: PeerStream,
  alarmOf: (red: string) => string | null,
): Alarms {
  const onset = change ? (change.onsetMs - practiceStartMs) / dayMs : Number.POSITIVE_INFINITY;
  const within = change ? change.withinMs / dayMs - labelDelayDays : 0;
  /** Ends of the windows in which an alarm began, in days. */
  const begun: number[] = [];
  let before = new Set<string>();
  let [quietDays, redDays] = [0, 0];
  for (const { day, red } of windows) {
    const alarms = new Set(red.map(alarmOf).filter(alarm => alarm !== null));
    for (const alarm of alarms) if (!before.has(alarm)) begun.push(day + 1);
    before = alarms;
    if (day + 1 > onset) continue;
    quietDays++;
    if (alarms.size > 0) redDays++;
  }
  const found = begun.find(end => end > onset && end <= onset + within);
  return {
    quietDays,
    redDays,
    falseAlarms: begun.filter(end => end <= onset).length,
    change: change && {
      delayDays: found === undefined ? null : found - onset,
      isByLuck: begun.some(end => end <= onset && end > onset - within),
    },
  };
}

function rowOf(
  tool: string,
  reading: string,
  perKind: readonly Alarms[],
  perName: readonly Alarms[],
): Record<string, string | number> {
  const both = (of: (alarms: readonly Alarms[]) => string | number) =>
    perKind === perName ? of(perKind) : `${of(perKind)} / ${of(perName)}`;
  const sum = (alarms: readonly Alarms[], of: (one: Alarms) => number) =>
    alarms.reduce((total, one) => total + of(one), 0);
  const quietDays = sum(perName, one => one.quietDays);
  const changes = perName.filter(({ change }) => change !== null).length;
  const found = (alarms: readonly Alarms[]) =>
    alarms.flatMap(({ change }) => change?.delayDays ?? []);
  return {
    tool,
    'what counts as an alarm': reading,
    'quiet windows': Math.round(quietDays),
    'false alarms per 1000': both(alarms =>
      ((1000 * sum(alarms, one => one.falseAlarms)) / quietDays).toFixed(1),
    ),
    [`found in time, of ${changes}`]: both(alarms => found(alarms).length),
    'mean delay in days': both(alarms => mean(found(alarms))?.toFixed(1) ?? '-'),
    'as often by luck': both(alarms => sum(alarms, ({ change }) => Number(change?.isByLuck ?? 0))),
    'red quiet windows': `${((100 * sum(perName, one => one.redDays)) / quietDays).toFixed(0)} %`,
  };
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((total, value) => total + value, 0) / values.length;
}

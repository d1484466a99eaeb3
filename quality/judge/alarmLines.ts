import type { Alarm } from '../judge/judgeStream.ts';

/**
 * Writes alarms as JSON Lines, one drift event a line with the fields of the contract. Added are
 * the end of its window as `time`, and when and with what cause and feature it was first raised.
 */
export function alarmLines(alarms: readonly Alarm[]): string {
  const sorted = alarms.toSorted((a, b) => a.event.windowEnd - b.event.windowEnd);
  return sorted.map(alarm => `${JSON.stringify(alarmLine(alarm))}\n`).join('');
}

function alarmLine({ event, raised, raisedAtMs }: Alarm): object {
  const { pValue: p, ...fields } = event;
  return {
    time: event.windowEnd,
    raisedAt: raisedAtMs,
    raisedCause: raised.cause,
    raisedFeature: raised.feature,
    p,
    ...fields,
  };
}

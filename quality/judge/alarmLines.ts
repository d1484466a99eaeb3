import type { Alarm } from '../judge/judgeStream.ts';

/** Drift events as JSON Lines: as the table drift_events has them, with the end of the window as `time`, and when and as what each was raised. */
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

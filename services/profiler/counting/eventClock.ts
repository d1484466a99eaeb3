/**
 * The clock of a model version in one source partition: the highest event time that it has reached,
 * without being carried away by a few wrong times.
 */
export interface EventClock {
  /** The highest event time reached, or -Infinity before the first record. */
  maxEventTimeMs: number;
  /** Records that are more than a leap ahead of it, less the records since that are not. */
  leapRecords: number;
  /** Lowest event time of the records ahead, or Infinity where there are none. */
  leapFromMs: number;
}

/**
 * Number of records that the clock follows over a leap. With a tenth of all times wrong, five of
 * them gather by chance in about (1/9)⁵ of the cases where one comes (gambler's ruin).
 */
export const minLeapRecords = 5;

const dayMs = 86_400_000;

/**
 * Returns the step of event time that one record alone may bring about, in ms. A record that is
 * further ahead would make others too late: they would be behind the grace period. No stream with a
 * record a day waits for it.
 */
export function maxStepMs(gracePeriodMs: number): number {
  return Math.max(gracePeriodMs, dayMs);
}

/**
 * Moves a clock on by the event time of a record. Up to `maxStepMs` the clock follows every record.
 * It follows over a leap when `minLeapRecords` more records are behind the leap than have come from
 * before it since: after a pause of the stream these are the next five, while a few wrong times
 * among right ones never gather. O(1); the result depends on the records and their order alone.
 */
export function advanceClock(clock: EventClock, timeMs: number, gracePeriodMs: number): void {
  const { maxEventTimeMs } = clock;
  if (maxEventTimeMs === Number.NEGATIVE_INFINITY) {
    clock.maxEventTimeMs = timeMs;
    return;
  }
  if (timeMs <= maxEventTimeMs + maxStepMs(gracePeriodMs)) {
    clock.maxEventTimeMs = Math.max(maxEventTimeMs, timeMs);
    if (clock.leapRecords > 0) clock.leapRecords--;
    if (clock.leapRecords === 0) clock.leapFromMs = Number.POSITIVE_INFINITY;
    return;
  }
  clock.leapRecords++;
  clock.leapFromMs = Math.min(clock.leapFromMs, timeMs);
  if (clock.leapRecords >= minLeapRecords) setClock(clock, clock.leapFromMs);
}

/**
 * Sets a clock that rests on fewer than `minLeapRecords` records back to a record that would be too
 * late for it. The records before are ahead of the clock then, so that a stream whose first times
 * are wrong is read like one in which they come later.
 * @param firstEventTimeMs lowest event time of these records
 * @param records their number
 */
export function setClockBack(
  clock: EventClock,
  timeMs: number,
  firstEventTimeMs: number,
  records: number,
): void {
  clock.maxEventTimeMs = timeMs;
  clock.leapRecords = records;
  clock.leapFromMs = firstEventTimeMs;
}

function setClock(clock: EventClock, timeMs: number): void {
  clock.maxEventTimeMs = timeMs;
  clock.leapRecords = 0;
  clock.leapFromMs = Number.POSITIVE_INFINITY;
}

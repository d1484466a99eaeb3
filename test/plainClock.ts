/** Settings of a model that its clock depends on. */
export interface ClockSettings {
  windowSizeMs: number;
  outOfOrdernessMs: number;
  gracePeriodMs: number;
}

/**
 * The clock of a model version in one partition as the documentation describes it, for comparison
 * with the profiler. It shares no code with it.
 */
export class PlainClock {
  timeMs = Number.NEGATIVE_INFINITY;
  readonly #settings: ClockSettings;
  /** Records ahead of a leap, less those from before it that came later. */
  #ahead = 0;
  #aheadTimesMs: number[] = [];
  #countedTimesMs: number[] = [];

  constructor(settings: ClockSettings) {
    this.#settings = settings;
  }

  /** Returns whether a record with this event time is too late to be counted. */
  isTooLate(timeMs: number): boolean {
    return this.#isBehind(timeMs) && this.#countedTimesMs.length >= 5;
  }

  /** Counts a record. @returns whether it is late */
  count(timeMs: number): boolean {
    const { windowSizeMs, outOfOrdernessMs, gracePeriodMs } = this.#settings;
    const isBehind = this.#isBehind(timeMs);
    const endMs = Math.floor(timeMs / windowSizeMs) * windowSizeMs + windowSizeMs;
    const isLate = !isBehind && endMs <= this.timeMs - outOfOrdernessMs;
    const stepMs = Math.max(gracePeriodMs, 24 * 3_600_000);
    if (isBehind) {
      // The few records before were wrong, or lie after a leap.
      this.#ahead = this.#countedTimesMs.length;
      this.#aheadTimesMs = [...this.#countedTimesMs];
      this.timeMs = timeMs;
    } else if (this.#countedTimesMs.length > 0 && timeMs > this.timeMs + stepMs) {
      this.#ahead++;
      this.#aheadTimesMs.push(timeMs);
      if (this.#ahead === 5) {
        this.timeMs = Math.min(...this.#aheadTimesMs);
        this.#ahead = 0;
      }
    } else {
      this.timeMs = Math.max(this.timeMs, timeMs);
      this.#ahead = Math.max(0, this.#ahead - 1);
    }
    if (this.#ahead === 0) this.#aheadTimesMs = [];
    this.#countedTimesMs.push(timeMs);
    return isLate;
  }

  #isBehind(timeMs: number): boolean {
    const { outOfOrdernessMs, gracePeriodMs } = this.#settings;
    return timeMs < this.timeMs - outOfOrdernessMs - gracePeriodMs;
  }
}

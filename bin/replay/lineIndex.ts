/** How far a file is from the order of time. */
export interface Disorder {
  /** Number of the line that is farthest behind an earlier one; the first line has number 1. */
  line: number;
  /** Number of the earlier line. */
  behindLine: number;
  /** By how much it is behind, in ms. */
  behindMs: number;
}

const firstCapacity = 1024;

/**
 * The event time and the place of every line of a file, in 16 bytes per line.
 *
 * Invariant: a line without a time of its own has that of the line before it, so that it stays
 * there when the lines are ordered.
 */
export class LineIndex {
  #times = new Float64Array(firstCapacity);
  #places = new Float64Array(firstCapacity);
  #lines = 0;
  #latestLine = 0;
  #disorder: Disorder | null = null;

  get lines(): number {
    return this.#lines;
  }

  /** The line that is farthest behind an earlier one, or null if the lines are in order of time. */
  get disorder(): Disorder | null {
    return this.#disorder;
  }

  /** @param place position of its first byte; lines follow each other without gaps */
  add(timeMs: number | null, place: number): void {
    if (this.#lines === this.#times.length) {
      this.#times = doubled(this.#times);
      this.#places = doubled(this.#places);
    }
    const line = this.#lines++;
    const before = line > 0 ? this.#times[line - 1]! : Number.NEGATIVE_INFINITY;
    this.#times[line] = timeMs ?? before;
    this.#places[line] = place;
    const behindMs = this.#times[this.#latestLine]! - this.#times[line]!;
    if (behindMs < 0) this.#latestLine = line;
    else if (behindMs > (this.#disorder?.behindMs ?? 0))
      this.#disorder = { line: line + 1, behindLine: this.#latestLine + 1, behindMs };
  }

  place(line: number): number {
    return this.#places[line]!;
  }

  /** Returns the event time of a line in ms, or null if no line up to it has one. */
  timeMs(line: number): number | null {
    const timeMs = this.#times[line]!;
    return Number.isFinite(timeMs) ? timeMs : null;
  }

  /** Returns the lines in the order of time; lines of one time stay in their order. O(n log n). */
  inOrderOfTime(): Uint32Array {
    const order = new Uint32Array(this.#lines).map((_, line) => line);
    const times = this.#times;
    return order.sort((a, b) => times[a]! - times[b]! || a - b);
  }
}

function doubled(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}

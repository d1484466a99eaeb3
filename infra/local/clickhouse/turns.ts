import { ClickhouseFailure } from './clickhouseRequest.ts';

/**
 * Lets a limited number of tasks run at a time, in the order in which they came.
 * Invariant: a task waits only while the maximum number runs.
 */
export class Turns {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #idleListeners: (() => void)[] = [];

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs a task when it is its turn.
   * @throws ClickhouseFailure if too many tasks wait already, and what the task throws
   */
  async take<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#maxRunning) await this.#turn();
    else this.#running++;
    try {
      return await task();
    } finally {
      this.#passOn();
    }
  }

  /** Resolves when no task runs. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>(resolve => this.#idleListeners.push(resolve));
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting)
      throw new ClickhouseFailure(
        202,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        'Too many simultaneous queries',
      );
    return new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  /** Gives the turn of a task that has ended to the next one. */
  #passOn(): void {
    const next = this.#waiting.shift();
    if (next) {
      next();
      return;
    }
    this.#running--;
    if (this.#running === 0) for (const listener of this.#idleListeners.splice(0)) listener();
  }
}

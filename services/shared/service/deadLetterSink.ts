import { type KafkaProducer, sendRecords } from '../kafka/kafka.ts';
import type { DeadLetterStore } from './deadLetterStore.ts';
import { type DeadLetter, deadLetterRecord } from './deadLetters.ts';
import type { ServiceMetrics } from './metrics.ts';

export interface DeadLetterSinkOptions {
  /** Topic dead-letters, with its prefix. */
  topic: string;
  /** Name of the service that cannot use the records. */
  service: string;
  producer: KafkaProducer;
  store: DeadLetterStore;
  metrics: ServiceMetrics;
}

/**
 * Collects the records that a service cannot use until its next flush.
 *
 * Invariant: it holds the letters that were added since the last flush or `clear`.
 */
export class DeadLetterSink {
  readonly #options: DeadLetterSinkOptions;
  #letters: DeadLetter[] = [];

  constructor(options: DeadLetterSinkOptions) {
    this.#options = options;
  }

  add(letter: DeadLetter): void {
    this.#letters.push(letter);
    const { topic } = letter.record;
    this.#options.metrics.deadLetters.inc({ topic, class: letter.rejection.class });
  }

  clear(): void {
    this.#letters = [];
  }

  /**
   * Sends what was added, then writes its index. Part of a service's flush.
   * @returns the number of letters
   */
  async flush(): Promise<number> {
    const { topic, service, producer, store } = this.#options;
    const letters = this.#letters;
    this.#letters = [];
    await sendRecords(
      producer,
      letters.map(letter => deadLetterRecord(topic, service, letter)),
    );
    await store.insert(letters);
    return letters.length;
  }
}

import { retryTransient } from '../retryTransient.ts';
import type { KafkaProducer } from './kafka.ts';

export interface WaitOptions {
  onRetry(error: unknown, attempt: number): void;
  onRetried(): void;
  /** Ends the waiting. */
  signal: AbortSignal;
}

/**
 * Makes a producer wait while Kafka refuses its records for the clock of this machine. kafkajs
 * stamps records with it each time that they are sent, so they are taken when the clock is right.
 */
export function waitForClock(
  producer: KafkaProducer,
  { onRetry, onRetried, signal }: WaitOptions,
): KafkaProducer {
  return {
    ...producer,
    sendBatch: batch =>
      retryTransient(() => producer.sendBatch(batch), isOfClock, onRetry, onRetried, signal),
  };
}

function isOfClock(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { type, cause } = error as Error & { type?: string };
  return type === 'INVALID_TIMESTAMP' || isOfClock(cause);
}

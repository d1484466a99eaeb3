import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { isTransientKafkaError } from '../../../services/shared/kafka/isTransientKafkaError.ts';

/** The errors that kafkajs throws; its types name only some of them. */
const errors = kafkajs as unknown as Record<
  string,
  new (
    cause: unknown,
    options?: object,
  ) => Error
>;
const answered = (type: string) =>
  new errors.KafkaJSProtocolError!({ message: type, type, code: 0, retriable: true });
const exceeded = (cause: Error) =>
  new errors.KafkaJSNumberOfRetriesExceeded!(cause, { retryCount: 12, retryTime: 1 });
const wrapped = (cause: Error) => new errors.KafkaJSNonRetriableError!(cause, { cause });

describe('isTransientKafkaError', () => {
  it.each([
    new errors.KafkaJSGroupCoordinatorNotFound!('Failed to find group coordinator'),
    answered('GROUP_LOAD_IN_PROGRESS'),
    answered('NOT_COORDINATOR_FOR_GROUP'),
    exceeded(answered('GROUP_COORDINATOR_NOT_AVAILABLE')),
    wrapped(exceeded(answered('UNKNOWN_TOPIC_OR_PARTITION'))),
  ])('is true for an unavailable coordinator and a missing topic: %s', error => {
    expect(isTransientKafkaError(error)).toBe(true);
  });

  it.each([
    answered('TOPIC_AUTHORIZATION_FAILED'),
    exceeded(new errors.KafkaJSConnectionError!('connection refused')),
    wrapped(new TypeError('x is not a function')),
    'UNKNOWN_TOPIC_OR_PARTITION',
    undefined,
  ])('is false for everything else: %s', error => {
    expect(isTransientKafkaError(error)).toBe(false);
  });
});

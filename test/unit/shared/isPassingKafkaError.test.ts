import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { isPassingKafkaError } from '../../../services/shared/kafka/isPassingKafkaError.ts';

/** Its types know less than kafkajs throws. */
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

it('passes: a coordinator that is away, a topic that is missing, however deep kafkajs has wrapped it', () => {
  for (const error of [
    new errors.KafkaJSGroupCoordinatorNotFound!('Failed to find group coordinator'),
    answered('GROUP_LOAD_IN_PROGRESS'),
    answered('NOT_COORDINATOR_FOR_GROUP'),
    exceeded(answered('GROUP_COORDINATOR_NOT_AVAILABLE')),
    wrapped(exceeded(answered('UNKNOWN_TOPIC_OR_PARTITION'))),
  ])
    expect(isPassingKafkaError(error), String(error)).toBe(true);
  for (const error of [
    answered('TOPIC_AUTHORIZATION_FAILED'),
    exceeded(new errors.KafkaJSConnectionError!('connection refused')),
    wrapped(new TypeError('x is not a function')),
    'UNKNOWN_TOPIC_OR_PARTITION',
    undefined,
  ])
    expect(isPassingKafkaError(error), String(error)).toBe(false);
});

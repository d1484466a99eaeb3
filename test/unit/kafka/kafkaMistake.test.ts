import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { kafkaMistake } from '../../../services/shared/kafka/kafkaMistake.ts';

it('says what to change when a right is missing, however often kafkajs has wrapped the error', () => {
  const refusal = Object.assign(new Error('Group authorization failed'), {
    type: 'GROUP_AUTHORIZATION_FAILED',
  });
  const wrapped = Object.assign(new kafkajs.KafkaJSNonRetriableError('x'), { cause: refusal });
  expect(kafkaMistake(wrapped)).toBe(
    'Kafka refuses: Group authorization failed; give this user READ and DESCRIBE on the consumer groups (docs/operators.md, "TLS and rights")',
  );
});

it('names the variable for a certificate that is not trusted', () => {
  const error = new Error('Connection error: self-signed certificate in certificate chain');
  expect(kafkaMistake(error)).toMatch(/KAFKA_SSL_CA_FILE$/);
});

it('knows nothing of other errors', () => {
  expect(kafkaMistake(new Error('broken'))).toBeNull();
  expect(kafkaMistake('broken')).toBeNull();
});

import { certificateMistake } from '../config/certificateMistake.ts';

/**
 * Returns in one line what an operator has to change when Kafka has refused something, or null for
 * an error of another kind. kafkajs wraps errors in errors, and those of several topics in one.
 */
export function kafkaMistake(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { name, type, message, cause, errors } = error as KafkaError;
  const advice = (type !== undefined ? adviceByType[type] : undefined) ?? adviceByName[name];
  if (advice !== undefined) return `Kafka refuses: ${message}; ${advice}`;
  return (
    certificateMistake(error, 'Kafka', 'KAFKA_SSL') ??
    kafkaMistake(cause) ??
    kafkaMistake(errors?.[0])
  );
}

type KafkaError = Error & { type?: string; errors?: readonly unknown[] };

const adviceByType: Record<string, string> = {
  TOPIC_AUTHORIZATION_FAILED:
    'give this user rights on the topics (docs/operators.md, "TLS and rights"), READ, WRITE, DESCRIBE or CREATE',
  GROUP_AUTHORIZATION_FAILED:
    'give this user READ and DESCRIBE on the consumer groups (docs/operators.md, "TLS and rights")',
  // Kafka says so for an idempotent producer without WRITE on any topic.
  CLUSTER_AUTHORIZATION_FAILED:
    'give this user WRITE on the topics that it writes to (docs/operators.md, "TLS and rights")',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    'give this user WRITE and DESCRIBE on the transactional id (docs/operators.md, "TLS and rights")',
  INVALID_TIMESTAMP:
    'the clock of this machine differs from that of Kafka by more than an hour, so set it',
};

const adviceByName: Record<string, string> = {
  KafkaJSSASLAuthenticationError:
    'check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
  // kafkajs asks again while a broker starts, and hides that a right is missing.
  KafkaJSGroupCoordinatorNotFound:
    'give this user DESCRIBE on the consumer groups, and DESCRIBE and WRITE on the transactional id (docs/operators.md, "TLS and rights")',
};

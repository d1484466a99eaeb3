const transientNames = ['KafkaJSGroupCoordinatorNotFound'];
const transientTypes = [
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'UNKNOWN_TOPIC_OR_PARTITION',
];

/**
 * Returns whether the reason why a consumer of kafkajs stopped will pass without help: the broker
 * that coordinates the group is loading (as after the very first start of a cluster) or is being
 * replaced, or a topic is being created again. kafkajs wraps errors in errors, so causes are looked
 * at as well.
 */
export function isTransientKafkaError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, type, cause } = error as Error & { type?: string };
  return (
    transientNames.includes(name) ||
    transientTypes.includes(type ?? '') ||
    isTransientKafkaError(cause)
  );
}

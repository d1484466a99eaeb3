const passingNames = ['KafkaJSGroupCoordinatorNotFound'];
const passingTypes = [
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'UNKNOWN_TOPIC_OR_PARTITION',
];

/**
 * Whether what ended a consumer of kafkajs will be over by itself: the broker that coordinates the group is loading, as after the very
 * first start of a cluster, or another takes its place; or a topic is being created again. kafkajs wraps errors in errors.
 */
export function isPassingKafkaError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, type, cause } = error as Error & { type?: string };
  return (
    passingNames.includes(name) || passingTypes.includes(type ?? '') || isPassingKafkaError(cause)
  );
}

import type { Environment } from '../../services/shared/config/environment.ts';
import { prefixed, type Topic, topics } from '../../services/shared/kafka/topics.ts';

export type ServiceName = 'profiler' | 'evaluator' | 'detector' | 'retrainer';

/** The services in the order in which a prediction reaches them, with the topics that each consumes. */
export const serviceFlow: readonly { name: ServiceName; consumes: readonly Topic[] }[] = [
  { name: 'profiler', consumes: [topics.predictions] },
  { name: 'evaluator', consumes: [topics.feedback, topics.windows] },
  { name: 'detector', consumes: [topics.windows] },
  { name: 'retrainer', consumes: [topics.driftEvents, topics.retrainRequests] },
];

/** Kafka's consumer group of a service: all its replicas. */
export function consumerGroup(environment: Environment, service: ServiceName): string {
  return prefixed(environment, `driftloop-${service}`);
}

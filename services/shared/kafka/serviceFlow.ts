import type { Environment } from '../config/environment.ts';
import { prefixed, type Topic, topics } from './topics.ts';

export type ServiceName = 'profiler' | 'evaluator' | 'detector' | 'retrainer' | 'mlflow';

interface ServiceOfFlow {
  name: ServiceName;
  consumes: readonly Topic[];
  /** Returns whether an installation has it; absent for a service that every installation has. */
  isWanted?: (environment: Environment) => boolean;
}

/**
 * The services in the order in which a prediction reaches them, with the topics that each one
 * consumes.
 */
export const serviceFlow: readonly ServiceOfFlow[] = [
  { name: 'profiler', consumes: [topics.predictions] },
  { name: 'evaluator', consumes: [topics.feedback, topics.windows] },
  { name: 'detector', consumes: [topics.windows, topics.driftRequests, topics.alertRequests] },
  {
    name: 'retrainer',
    consumes: [topics.driftEvents, topics.retrainRequests, topics.versionRequests, topics.windows],
  },
  {
    name: 'mlflow',
    consumes: [topics.modelVersions],
    isWanted: ({ MLFLOW_TRACKING_URI }) => MLFLOW_TRACKING_URI !== undefined,
  },
];

/** Returns the services that an installation has, in the order of the flow. */
export function wantedServices(environment: Environment): ServiceName[] {
  return serviceFlow
    .filter(({ isWanted }) => isWanted?.(environment) ?? true)
    .map(({ name }) => name);
}

/** Returns the topics that a service consumes, without their prefix. */
export function consumedTopics(service: ServiceName): Topic[] {
  return [...serviceFlow.find(({ name }) => name === service)!.consumes];
}

/** Returns the name of Kafka's consumer group of a service, which all its replicas join. */
export function consumerGroup(environment: Environment, service: ServiceName): string {
  return prefixed(environment, `driftloop-${service}`);
}

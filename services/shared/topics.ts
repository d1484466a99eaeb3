import type { Environment } from './environment.ts';

/** The topics of Driftloop, without their prefix. Contracts: schemas/asyncapi.yaml. */
export const topics = {
  predictions: 'predictions',
  feedback: 'feedback',
  windows: 'windows',
  driftEvents: 'drift-events',
  alerts: 'alerts',
  retrainRequests: 'retrain-requests',
  modelVersions: 'model-versions',
  deadLetters: 'dead-letters',
  deadLetterReplays: 'dead-letter-replays',
} as const;

export type Topic = (typeof topics)[keyof typeof topics];

/** Name of a topic (or consumer group) on the broker. */
export function prefixed(environment: Environment, name: string): string {
  return environment.DRIFTLOOP_TOPIC_PREFIX + name;
}

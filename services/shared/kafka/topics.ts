import type { Environment } from '../config/environment.ts';

/** The topics of Driftloop, without their prefix. Their contracts are in schemas/asyncapi.yaml. */
export const topics = {
  predictions: 'predictions',
  feedback: 'feedback',
  windows: 'windows',
  driftEvents: 'drift-events',
  alerts: 'alerts',
  flags: 'flags',
  retrainRequests: 'retrain-requests',
  versionRequests: 'version-requests',
  driftRequests: 'drift-requests',
  alertRequests: 'alert-requests',
  modelVersions: 'model-versions',
  modelAliases: 'model-aliases',
  lineage: 'lineage',
  notices: 'notices',
  outputMeanings: 'output-meanings',
  deadLetters: 'dead-letters',
  deadLetterReplays: 'dead-letter-replays',
} as const;

export type Topic = (typeof topics)[keyof typeof topics];

/**
 * Returns the name of a topic or consumer group on the broker. The topics of producers may be older
 * than Driftloop, so the environment may give their full names.
 */
export function prefixed(environment: Environment, name: string): string {
  if (name === topics.predictions && environment.DRIFTLOOP_PREDICTIONS_TOPIC)
    return environment.DRIFTLOOP_PREDICTIONS_TOPIC;
  if (name === topics.feedback && environment.DRIFTLOOP_FEEDBACK_TOPIC)
    return environment.DRIFTLOOP_FEEDBACK_TOPIC;
  return environment.DRIFTLOOP_TOPIC_PREFIX + name;
}

import type { ModelSettings } from '../../shared/config/settings.ts';

/** How a platform that trains is asked. */
export type Platform =
  | { webhook: NonNullable<ModelSettings['retraining']['webhook']> }
  | { topic: string };

/** Returns the platform that trains a model, or null if the retrainer does it. */
export function platformOf({ webhook, topic }: ModelSettings['retraining']): Platform | null {
  if (webhook) return { webhook };
  return topic === undefined ? null : { topic };
}

/**
 * Names a platform, for the lineage and for people. The query of a URL may have a password.
 * @example platformName({ topic: 'trainings' }) // 'topic trainings'
 */
export function platformName(platform: Platform): string {
  if ('topic' in platform) return `topic ${platform.topic}`;
  const { origin, pathname } = new URL(platform.webhook.url);
  return `webhook ${origin}${pathname}`;
}

/** What a platform is asked for. docs/training/README.md describes it. */
export interface TrainingAssignment {
  /** The run. Whoever gets the same one again has the training already. */
  runId: string;
  model: string;
  /** The version that serves. */
  championVersion: string;
  seed: number;
  /** The frozen rows, and the SHA-256 of the file. */
  datasetUri: string;
  datasetChecksum: string;
  /** What a local trainer finds in `task.json`. */
  taskUri: string;
  /** Where the result belongs. */
  outputUri: string;
  /** Until when the result is waited for, as ISO 8601. */
  deadline: string;
}

/** A CloudEvent in the JSON format (CloudEvents 1.0.2, structured mode). */
export type TrainingRequest = ReturnType<typeof trainingRequest>;

/** Returns the request for a training. The same assignment gives the same request. */
export function trainingRequest(assignment: TrainingAssignment, startedAtMs: number) {
  return {
    specversion: '1.0',
    id: assignment.runId,
    source: '/driftloop/retrainer',
    type: 'io.driftloop.training-request',
    subject: assignment.model,
    time: new Date(startedAtMs).toISOString(),
    datacontenttype: 'application/json',
    data: assignment,
  } as const;
}

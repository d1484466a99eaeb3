import type { RetrainRequest, VersionRequest } from '../contracts.ts';
import { cloudEvent } from '../kafka/cloudEvent.ts';
import type { OutgoingRecord } from '../kafka/kafka.ts';

/**
 * Returns a request for a training, or for a change of a version, as a record of its topic. People,
 * schedules and the retrainer ask in the same way.
 * @param source what sends it: command, retrainer or mlflow
 * @param value the encoded request
 */
export function requestEvent(
  type: 'retrain-request' | 'version-request',
  { id, model, time: timeMs }: Pick<RetrainRequest | VersionRequest, 'id' | 'model' | 'time'>,
  { topic, source, value }: { topic: string; source: string; value: Buffer },
): OutgoingRecord {
  return cloudEvent({
    topic,
    key: model,
    type: `io.driftloop.${type}`,
    source,
    identity: [id],
    subject: model,
    timeMs,
    value,
  });
}

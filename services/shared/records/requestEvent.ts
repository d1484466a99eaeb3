import type { DriftRequest, RetrainRequest, VersionRequest } from '../contracts.ts';
import { cloudEvent } from '../kafka/cloudEvent.ts';
import type { OutgoingRecord } from '../kafka/kafka.ts';

/**
 * Returns a request for a training, for a change of a version, or about a drift event, as a record
 * of its topic. People, schedules and the retrainer ask in the same way.
 * @param source what sends it: command, retrainer or mlflow
 * @param value the encoded request
 */
export function requestEvent(
  type: 'retrain-request' | 'version-request' | 'drift-request',
  request: Pick<RetrainRequest | VersionRequest | DriftRequest, 'id' | 'model' | 'time'>,
  { topic, source, value }: { topic: string; source: string; value: Buffer },
): OutgoingRecord {
  const { id, model, time: timeMs } = request;
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

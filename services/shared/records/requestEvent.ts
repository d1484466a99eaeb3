import type { AlertRequest, DriftRequest, RetrainRequest, VersionRequest } from '../contracts.ts';
import { cloudEvent } from '../kafka/cloudEvent.ts';
import type { OutgoingRecord } from '../kafka/kafka.ts';

/**
 * Returns a request for a training, for a change of a version, about a drift event or an alert, as a record
 * of its topic. People, schedules and the retrainer ask in the same way.
 * @param source what sends it: command, retrainer or mlflow
 * @param value the encoded request
 */
export function requestEvent(
  type: 'retrain-request' | 'version-request' | 'drift-request' | 'alert-request',
  request: Pick<
    RetrainRequest | VersionRequest | DriftRequest | AlertRequest,
    'id' | 'model' | 'time'
  >,
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

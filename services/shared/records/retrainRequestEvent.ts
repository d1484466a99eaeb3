import type { RetrainRequest } from '../contracts.ts';
import { cloudEvent } from '../kafka/cloudEvent.ts';
import type { OutgoingRecord } from '../kafka/kafka.ts';

/**
 * Returns a request for a training as a record of the topic retrain-requests. People and schedules
 * ask in the same way.
 * @param source what sends it: command or retrainer
 * @param value the encoded request
 */
export function retrainRequestEvent(
  request: RetrainRequest,
  { topic, source, value }: { topic: string; source: string; value: Buffer },
): OutgoingRecord {
  const { id, model, time: timeMs } = request;
  return cloudEvent({
    topic,
    key: model,
    type: 'io.driftloop.retrain-request',
    source,
    identity: [id],
    subject: model,
    timeMs,
    value,
  });
}

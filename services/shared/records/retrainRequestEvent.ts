import type { RetrainRequest } from '../contracts.ts';
import { cloudEvent } from '../kafka/cloudEvent.ts';
import type { OutgoingRecord } from '../kafka/kafka.ts';

/**
 * A request for a training, as a record of retrain-requests: people and schedules ask in the same way.
 * @param source who sends it: command or retrainer
 * @param value the request, encoded
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

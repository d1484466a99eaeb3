import type { VersionRequest } from '../contracts.ts';
import { cloudEvent } from '../kafka/cloudEvent.ts';
import type { OutgoingRecord } from '../kafka/kafka.ts';

/**
 * Returns a request for a change of a version as a record of the topic version-requests. People and
 * the retrainer ask in the same way.
 * @param source what sends it: command or retrainer
 * @param value the encoded request
 */
export function versionRequestEvent(
  request: VersionRequest,
  { topic, source, value }: { topic: string; source: string; value: Buffer },
): OutgoingRecord {
  const { id, model, time: timeMs } = request;
  return cloudEvent({
    topic,
    key: model,
    type: 'io.driftloop.version-request',
    source,
    identity: [id],
    subject: model,
    timeMs,
    value,
  });
}

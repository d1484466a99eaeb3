import { hostname, userInfo } from 'node:os';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type {
  AlertRequest,
  DriftRequest,
  RetrainRequest,
  VersionRequest,
} from '../../services/shared/contracts.ts';
import { connectProducer, sendRecords } from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { requestEvent } from '../../services/shared/records/requestEvent.ts';
import { withKafka } from './withServers.ts';

const kinds = {
  RetrainRequest: { type: 'retrain-request', topic: topics.retrainRequests },
  VersionRequest: { type: 'version-request', topic: topics.versionRequests },
  DriftRequest: { type: 'drift-request', topic: topics.driftRequests },
  AlertRequest: { type: 'alert-request', topic: topics.alertRequests },
} as const;

interface Requests {
  RetrainRequest: RetrainRequest;
  VersionRequest: VersionRequest;
  DriftRequest: DriftRequest;
  AlertRequest: AlertRequest;
}

/** Returns who asks, such as alice@laptop. */
export function requestedBy(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** Sends a person's request to its topic. */
export async function publishRequest<Contract extends keyof Requests>(
  environment: Environment,
  contract: Contract,
  request: Requests[Contract],
): Promise<void> {
  const { type, topic: name } = kinds[contract];
  const topic = prefixed(environment, name);
  const schemas = connectSchemaRegistry(environment);
  const encode = await schemas.encoder<Requests[Contract]>(contract, topic);
  const event = requestEvent(type, request, { topic, source: 'command', value: encode(request) });
  await withKafka(environment, async kafka => {
    const producer = await connectProducer(kafka);
    await sendRecords(producer, [event]).finally(() => producer.disconnect());
  });
}

import { sendRecords } from '../shared/kafka/kafka.ts';
import { topics } from '../shared/kafka/topics.ts';
import { retryTransient } from '../shared/retryTransient.ts';
import type { ServiceContext } from '../shared/service/service.ts';
import type { LineageEvent, LineageSources } from './run/lineageEvent.ts';

const maxAttempts = 3;
const requestTimeoutMs = 5_000;

/** Returns where the trainings of an installation take their records from. */
export function lineageSources({
  environment,
  topic,
}: Pick<ServiceContext, 'environment' | 'topic'>): LineageSources {
  return {
    namespace: environment.OPENLINEAGE_NAMESPACE,
    kafkaNamespace: `kafka://${environment.KAFKA_BROKERS.split(',')[0]!.trim()}`,
    topics: [topic(topics.predictions), topic(topics.feedback)],
  };
}

/**
 * Writes an event to the topic, which keeps it, and then posts it to a server of OpenLineage if
 * there is one. Trainings do not wait for a server that is away: after a few attempts the event is
 * in the topic alone, and the log says so.
 */
export async function announceLineage(
  event: LineageEvent,
  { environment, producer, topic, log }: ServiceContext,
): Promise<void> {
  const value = JSON.stringify(event);
  const headers = { 'content-type': 'application/json' };
  const key = event.job.name;
  await sendRecords(producer, [
    { topic: topic(topics.lineage), key, value: Buffer.from(value), headers },
  ]);
  const { OPENLINEAGE_URL: url, OPENLINEAGE_API_KEY: apiKey } = environment;
  if (url === undefined) return;
  let attempt = 0;
  try {
    await retryTransient(
      () => post(`${url.replace(/\/+$/, '')}/api/v1/lineage`, value, apiKey),
      () => ++attempt < maxAttempts,
    );
  } catch (error) {
    log.warn({ err: error, url }, 'an event of OpenLineage could not be posted; the topic has it');
  }
}

async function post(url: string, body: string, apiKey: string | undefined): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    },
    body,
    signal: AbortSignal.timeout(requestTimeoutMs),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answered with status ${response.status}`);
}

import { Webhook } from 'standardwebhooks';
import type { OutgoingRecord } from '../../shared/kafka/kafka.ts';
import { secretMistake } from './missingSecrets.ts';
import { type Platform, platformName, type TrainingRequest } from './trainingRequest.ts';

const requestTimeoutMs = 10_000;
const maxAnswerCharacters = 200;
/** The platform has the training already. */
const conflict = 409;
const contentType = 'application/cloudevents+json; charset=utf-8';

/** How a platform has answered a request; a reason is a sentence to publish or to log. */
export type Acceptance =
  | { kind: 'accepted' }
  /** It may accept the same request later. */
  | { kind: 'away'; reason: string }
  | { kind: 'refused'; reason: string };

/**
 * Asks a platform for a training, once. The same request may be sent again after a crash, and has
 * the same id then: `webhook-id`, or the key of the record.
 * @param send writes a record to Kafka
 */
export async function sendRequest(
  request: TrainingRequest,
  platform: Platform,
  send: (record: OutgoingRecord) => Promise<void>,
): Promise<Acceptance> {
  const body = JSON.stringify(request);
  try {
    if ('webhook' in platform) return await post(request.id, body, platform);
    await send({
      topic: platform.topic,
      key: request.subject,
      value: Buffer.from(body),
      headers: { 'content-type': contentType },
    });
    return { kind: 'accepted' };
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
    return { kind: 'away', reason: `${platformName(platform)} does not answer: ${why}` };
  }
}

/** Signs and posts as Standard Webhooks 1.0.0 says. */
async function post(
  id: string,
  body: string,
  platform: Extract<Platform, { webhook: object }>,
): Promise<Acceptance> {
  const { url, secretEnv } = platform.webhook;
  const mistake = secretMistake(secretEnv);
  if (mistake !== null) return { kind: 'away', reason: `The request is not sent. ${mistake}` };
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': contentType, ...signature(id, body, secretEnv) },
    body,
    signal: AbortSignal.timeout(requestTimeoutMs),
  });
  const answer = (await response.text()).slice(0, maxAnswerCharacters);
  const { ok, status } = response;
  if (ok || status === conflict) return { kind: 'accepted' };
  const reason = `${platformName(platform)} answered with status ${status}: ${answer}`;
  const isTransient = status >= 500 || status === 408 || status === 429;
  return { kind: isTransient ? 'away' : 'refused', reason };
}

function signature(id: string, body: string, secretEnv: string | undefined) {
  const now = new Date();
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
  };
  if (secretEnv === undefined) return headers;
  const webhook = new Webhook(process.env[secretEnv]!);
  return { ...headers, 'webhook-signature': webhook.sign(id, now, body) };
}

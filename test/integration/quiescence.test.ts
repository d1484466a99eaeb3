import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntilQuiet } from '../../infra/kafka/quiescence.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import {
  connectKafka,
  connectProducer,
  type KafkaAdmin,
  type KafkaProducer,
  sendRecords,
} from '../../services/shared/kafka/kafka.ts';
import { consumerGroup, type ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { commitAll, ownInstallation } from '../commands.ts';

let environment: Environment;
let admin: KafkaAdmin;
let producer: KafkaProducer;
let committer: KafkaProducer;
const topic = (name: string) => environment.DRIFTLOOP_TOPIC_PREFIX + name;

beforeAll(async () => {
  environment = readEnvironment(ownInstallation());
  const kafka = connectKafka(environment, 'test');
  admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, environment);
  producer = await connectProducer(kafka);
  committer = await connectProducer(kafka, topic('committer'));
});
afterAll(async () => {
  await producer.disconnect();
  await committer.disconnect();
  await admin.disconnect();
});

async function send(name: string): Promise<void> {
  await sendRecords(producer, [{ topic: topic(name), key: 'a', value: Buffer.from('x') }]);
}

/** Commits like a service that has processed all records of a topic. */
function commit(service: ServiceName, name: string): Promise<void> {
  return commitAll(committer, admin, consumerGroup(environment, service), topic(name));
}

describe('waitUntilQuiet', () => {
  it('follows records from service to service until all are processed', async () => {
    await send('predictions');
    const waitedFor: string[] = [];
    let step = Promise.resolve();
    await waitUntilQuiet({
      admin,
      environment,
      services: ['profiler', 'evaluator', 'detector'],
      onWaiting: (service, lag) => {
        expect(lag).toBeGreaterThan(0);
        if (waitedFor.at(-1) === service) return;
        waitedFor.push(service);
        // Each service writes to the next topic, then commits.
        step = step.then(async () => {
          if (service === 'profiler')
            await send('windows').then(() => commit('profiler', 'predictions'));
          else await commit(service, 'windows');
        });
      },
    });
    await step;
    expect(waitedFor).toEqual(['profiler', 'evaluator', 'detector']);
  });

  it('returns at once if nothing was sent', async () => {
    const empty = readEnvironment(ownInstallation());
    await ensureTopics(admin, empty);
    const waitedFor: string[] = [];
    await waitUntilQuiet({
      admin,
      environment: empty,
      services: ['profiler', 'evaluator', 'detector', 'retrainer'],
      onWaiting: service => waitedFor.push(service),
    });
    expect(waitedFor).toEqual([]);
  });

  it('ends with the reason when a service has died', async () => {
    await send('predictions');
    const died = new AbortController();
    const wait = waitUntilQuiet({
      admin,
      environment,
      services: ['profiler'],
      signal: died.signal,
      onWaiting: () => died.abort(new Error('profiler was killed by SIGKILL')),
    });
    await expect(wait).rejects.toThrow('profiler was killed by SIGKILL');
  });
});

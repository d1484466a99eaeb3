import { setTimeout as pause } from 'node:timers/promises';
import { topicsOfService } from '../../infra/kafka/groupLag.ts';
import { type Clickhouse, clickhouseTime } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { consumerGroup, type ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { UserError } from '../../services/shared/userError.ts';

/** Services go on after this time if the rebuild has died. */
const holdMs = 60_000;
const renewMs = 10_000;
const maxWaitMs = 120_000;
const pauseMs = 200;

/** Services whose memory would be wrong after a change of the tables. */
const heldServices: readonly ServiceName[] = ['profiler', 'evaluator', 'detector'];

export interface Hold {
  /** Services that run. They go on when they are released. */
  services: ServiceName[];
  release(): Promise<void>;
}

/**
 * Makes the services that run flush, forget their memory and pause until they are released. They
 * write nothing while they are held.
 * @throws UserError if one of them does not pause; none is held then
 */
export async function holdServices(
  admin: KafkaAdmin,
  clickhouse: Clickhouse,
  environment: Environment,
  rebuildId: string,
  signal: AbortSignal,
): Promise<Hold> {
  const until = (timeMs: number) =>
    clickhouse.insert('rebuild_holds', [{ id: rebuildId, held_until: clickhouseTime(timeMs) }]);
  await until(Date.now() + holdMs);
  // If one renewal fails, the next one is still in time.
  const renewal = setInterval(() => until(Date.now() + holdMs).catch(() => undefined), renewMs);
  const release = async () => {
    clearInterval(renewal);
    await until(0);
  };
  try {
    const services = await runningServices(admin, environment);
    await untilPaused(admin, clickhouse, environment, rebuildId, services, signal);
    return { services, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function runningServices(
  admin: KafkaAdmin,
  environment: Environment,
): Promise<ServiceName[]> {
  const { groups } = await admin.describeGroups(
    heldServices.map(service => consumerGroup(environment, service)),
  );
  return heldServices.filter(service =>
    groups.some(
      ({ groupId, members }) =>
        groupId === consumerGroup(environment, service) && members.length > 0,
    ),
  );
}

async function untilPaused(
  admin: KafkaAdmin,
  clickhouse: Clickhouse,
  environment: Environment,
  rebuildId: string,
  services: readonly ServiceName[],
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set<string>();
  for (const service of services)
    for (const topic of topicsOfService(environment, service))
      for (const { partition } of await admin.fetchTopicOffsets(topic))
        wanted.add(`${service}/${topic}/${partition}`);
  const deadlineMs = Date.now() + maxWaitMs;
  for (;;) {
    signal.throwIfAborted();
    const paused = await clickhouse.select<{ service: string; topic: string; partition: number }>(
      'SELECT service, topic, partition FROM topic_positions FINAL WHERE hold = {rebuildId:String}',
      { rebuildId },
    );
    const found = new Set(
      paused.map(({ service, topic, partition }) => `${service}/${topic}/${partition}`),
    );
    const missing = [...wanted].filter(partition => !found.has(partition));
    if (missing.length === 0) return;
    if (Date.now() > deadlineMs) {
      throw new UserError(
        `no row was changed, because these did not pause within ${maxWaitMs / 1000} s: ${missing.join(', ')}. Check with "driftloop status" that their services run, and that they are of this release`,
      );
    }
    await pause(pauseMs);
  }
}

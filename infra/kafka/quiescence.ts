import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { type ServiceName, serviceFlow } from '../../services/shared/kafka/serviceFlow.ts';
import { groupLag } from './groupLag.ts';

export interface QuiescenceOptions {
  admin: KafkaAdmin;
  environment: Environment;
  /** Services that are waited for. */
  services: readonly ServiceName[];
  /** Ends the wait with its reason, such as a service process that has died. */
  signal?: AbortSignal;
  /** Receives before each pause a service and how many records it still has to commit. */
  onWaiting?: (service: ServiceName, lag: number) => void;
}

/** Kafka does not announce that everything was read, so it is asked again after a pause. */
const pauseMs = 100;

/**
 * Waits until the services have processed every record in their topics, and every record that
 * follows from it.
 *
 * Services write and send first and commit last. So if one pass looks at them in the order of the
 * flow, a service without lag has already sent all that the next ones must read. A service that
 * writes to a topic of an earlier one breaks this order (a new model version, read by the
 * detector). Therefore a second pass must find no lag and the same end offsets.
 * @throws the reason of `signal`
 */
export async function waitUntilQuiet(options: QuiescenceOptions): Promise<void> {
  let endsOfLastPass: string | null = null;
  for (;;) {
    options.signal?.throwIfAborted();
    const ends = await passWithoutLag(options);
    if (ends !== null && ends === endsOfLastPass) return;
    endsOfLastPass = ends;
    if (ends === null)
      await pause(pauseMs, undefined, { signal: options.signal }).catch(
        rethrowReason(options.signal),
      );
  }
}

/** Returns the end offsets of all topics that the services read, or null if a service has lag. */
async function passWithoutLag(options: QuiescenceOptions): Promise<string | null> {
  const { admin, environment, services, onWaiting } = options;
  const ends: string[] = [];
  for (const { name } of serviceFlow) {
    if (!services.includes(name)) continue;
    const partitions = await groupLag(admin, environment, name);
    const lag = partitions.reduce((total, partition) => total + partition.lag, 0);
    if (lag > 0) {
      onWaiting?.(name, lag);
      return null;
    }
    ends.push(
      ...partitions.map(({ topic, partition, endOffset }) => `${topic}/${partition}/${endOffset}`),
    );
  }
  return ends.join('\n');
}

/** Replaces the error of an aborted pause, which does not say why, by the reason of the signal. */
function rethrowReason(signal: AbortSignal | undefined): (error: unknown) => never {
  return error => {
    signal?.throwIfAborted();
    throw error;
  };
}

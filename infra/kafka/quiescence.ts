import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { type ServiceName, serviceFlow } from '../../services/shared/kafka/serviceFlow.ts';
import { groupLag } from './groupLag.ts';

export interface QuiescenceOptions {
  admin: KafkaAdmin;
  environment: Environment;
  /** Services to wait for. */
  services: readonly ServiceName[];
  /** Ends the wait with its reason, such as a service process that has died. */
  signal?: AbortSignal;
  /** Told before each pause which service still has how many records to commit. */
  onWaiting?: (service: ServiceName, lag: number) => void;
}

/** Kafka has no signal for "all read", so it is asked again after a pause. */
const pauseMs = 100;

/**
 * Waits until every record in the topics of the services, and every record that followed from it, has been processed.
 *
 * Services write and send first and commit last. So in one pass in the order of the flow, a service without lag has also sent all that the
 * next ones will have to read. A service that writes to a topic of an earlier one (a new model version, read by the detector) breaks this
 * order: only a second pass that finds no lag and the same end offsets shows that nothing was under way.
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

/** The end offsets of all topics that the services read, or null when one of them has lag. */
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

/** An aborted pause says only that it was aborted; why stands in the signal. */
function rethrowReason(signal: AbortSignal | undefined): (error: unknown) => never {
  return error => {
    signal?.throwIfAborted();
    throw error;
  };
}

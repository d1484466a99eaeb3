import type { Kafka } from './kafka.ts';

/**
 * Creates connections as kafkajs makes them for its own clients, with TLS, SASL and reconnecting,
 * for requests that these clients do not offer.
 * @param options of kafkajs's Cluster
 */
export function createCluster<Cluster>(kafka: Kafka, options: object): Cluster {
  const create = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )!;
  return (kafka as unknown as Record<symbol, (options: object) => Cluster>)[create]!(options);
}

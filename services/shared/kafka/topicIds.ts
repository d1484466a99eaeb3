import { retryTransient } from '../retryTransient.ts';
import { createCluster } from './createCluster.ts';
import type { Kafka } from './kafka.ts';

/*
 * Kafka gives a topic a new id when it is deleted and created again under the same name (KIP-516).
 * kafkajs 2.2.4 requests metadata in a version without the ids, so this one request is written
 * here. It is sent over kafkajs's own connections, which bring TLS, SASL and reconnecting. A second
 * client for one request would cost each service 70 MB and a second of CPU at its start.
 */

const metadataKey = 3;
/** First version of the Metadata request with topic ids, since Kafka 2.8. */
const metadataVersion = 10;
const noId = '0'.repeat(32);

/** What kafkajs expects of an encoded request. */
interface EncodedRequest {
  buf: Buffer;
  buffer: Buffer;
}

interface Broker {
  versions: Record<number, { maxVersion: number }>;
  connectionPool: {
    send<T>(protocol: {
      request: {
        apiKey: number;
        apiVersion: number;
        apiName: string;
        encode(): Promise<EncodedRequest>;
      };
      response: { decode(payload: Buffer): Promise<T>; parse(decoded: T): Promise<T> };
    }): Promise<T>;
  };
}

interface Cluster {
  connect(): Promise<void>;
  /** Finds out which brokers there are. */
  refreshMetadataIfNecessary(): Promise<void>;
  disconnect(): Promise<void>;
  /** Resolves to null when no broker could be used. */
  brokerPool: { withBroker<T>(use: (found: { broker: Broker }) => Promise<T>): Promise<T | null> };
}

export interface TopicIdsOptions {
  /** Called after each request that has failed and will be repeated. */
  onRetry?: (error: unknown, attempt: number) => void;
  /** When it is aborted, a request that fails is not repeated any more. */
  signal?: AbortSignal;
}

export function connectTopicIds(kafka: Kafka, options: TopicIdsOptions = {}): TopicIds {
  const cluster = createCluster<Cluster>(kafka, {
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
  });
  return new TopicIds(cluster, options);
}

/** Asks Kafka for the ids of topics, over connections of its own. */
export class TopicIds {
  readonly #cluster: Cluster;
  readonly #options: TopicIdsOptions;

  constructor(cluster: Cluster, options: TopicIdsOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /**
   * Returns the ids of topics as hexadecimal text, or '' on a Kafka before 2.8. A topic that does
   * not exist is absent. Waits for a Kafka that is away.
   */
  of(topics: readonly string[]): Promise<Map<string, string>> {
    const { onRetry, signal } = this.#options;
    return retryTransient(() => this.#request(topics), isTransient, onRetry, undefined, signal);
  }

  disconnect(): Promise<void> {
    return this.#cluster.disconnect();
  }

  async #request(topics: readonly string[]): Promise<Map<string, string>> {
    await this.#cluster.connect();
    await this.#cluster.refreshMetadataIfNecessary();
    // kafkajs tries one broker after another, and does not say why none could be used.
    let failure: unknown = null;
    const ids = await this.#cluster.brokerPool.withBroker(({ broker }) =>
      requestIds(broker, topics).catch(error => {
        failure = error;
        throw error;
      }),
    );
    if (ids === null) throw failure ?? new Error('no broker of Kafka answers');
    return ids;
  }
}

/**
 * Returns whether a request may succeed when it is repeated: not after a mistake of this program or
 * rejected credentials.
 */
function isTransient(error: unknown): boolean {
  return (
    !(error instanceof TypeError) &&
    (error as { name?: string }).name !== 'KafkaJSSASLAuthenticationError'
  );
}

async function requestIds(broker: Broker, topics: readonly string[]): Promise<Map<string, string>> {
  if ((broker.versions[metadataKey]?.maxVersion ?? 0) < metadataVersion)
    return new Map(topics.map(topic => [topic, '']));
  return broker.connectionPool.send({
    request: {
      apiKey: metadataKey,
      apiVersion: metadataVersion,
      apiName: 'Metadata',
      encode: async () => {
        const buffer = metadataRequest(topics);
        return { buf: buffer, buffer };
      },
    },
    response: { decode: async payload => topicIdsOf(payload), parse: async ids => ids },
  });
}

/**
 * Returns what follows the client id: tags of the header, topics (no id, name, tags), three flags,
 * tags. The protocol sends every length plus one.
 */
function metadataRequest(topics: readonly string[]): Buffer {
  const names = topics.flatMap(topic => {
    const name = Buffer.from(topic);
    return [Buffer.alloc(16), unsignedVarint(name.length + 1), name, Buffer.from([0])];
  });
  return Buffer.concat([
    Buffer.from([0]),
    unsignedVarint(topics.length + 1),
    ...names,
    Buffer.from([0, 0, 0, 0]),
  ]);
}

function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/**
 * Reads the response up to the end of its topics.
 * https://kafka.apache.org/protocol#The_Messages_Metadata
 */
function topicIdsOf(payload: Buffer): Map<string, string> {
  let at = 0;
  const skip = (bytes: number) => {
    at += bytes;
  };
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = payload[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const text = () => {
    const bytes = Math.max(0, varint() - 1);
    skip(bytes);
    return payload.toString('utf8', at - bytes, at);
  };
  const each = (read: () => void) => {
    for (let left = varint() - 1; left > 0; left--) read();
  };
  const skipTags = () => {
    for (let left = varint(); left > 0; left--) {
      varint();
      skip(varint());
    }
  };
  const skipNumber = () => skip(4);

  skipTags();
  skip(4); // throttle time
  each(() => {
    skip(4); // node
    text(); // host
    skip(4); // port
    text(); // rack
    skipTags();
  });
  text(); // cluster
  skip(4); // controller
  const ids = new Map<string, string>();
  each(() => {
    skip(2); // error
    const name = text();
    const id = payload.toString('hex', at, at + 16);
    skip(16 + 1); // id, whether internal
    each(() => {
      skip(2 + 4 + 4 + 4); // error, partition, leader, epoch
      for (let lists = 0; lists < 3; lists++) each(skipNumber); // replicas, in-sync and offline ones
      skipTags();
    });
    skip(4); // authorised operations
    skipTags();
    if (id !== noId) ids.set(name, id);
  });
  return ids;
}

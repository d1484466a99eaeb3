import { connect } from 'node:net';
import { buffer as bytesOf } from 'node:stream/consumers';

/** A partition of a topic on a cluster of one broker. */
export interface ProduceTarget {
  /** Address of the broker as host:port. */
  broker: string;
  topic: string;
  partition: number;
}

/**
 * Sends bytes as a batch of records to Kafka, as they are, over a connection of its own.
 * @returns the error code of Kafka, 0 for none
 * https://kafka.apache.org/protocol#The_Messages_Produce, version 7, the first one with ZSTD
 */
export async function produceBatch(target: ProduceTarget, batch: Buffer): Promise<number> {
  const { broker, topic, partition } = target;
  const colon = broker.lastIndexOf(':');
  const socket = connect({ host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) });
  const body = Buffer.concat([
    int16(0), // Produce
    int16(7),
    int32(1), // correlation id
    text('raw'),
    int16(-1), // no transactional id
    int16(-1), // acknowledged by all replicas
    int32(30_000),
    int32(1),
    text(topic),
    int32(1),
    int32(partition),
    int32(batch.length),
    batch,
  ]);
  socket.write(Buffer.concat([int32(body.length), body]));
  const answer = await firstAnswer(socket);
  // Length, correlation id, number of topics, name, number of partitions, partition.
  return answer.readInt16BE(4 + 4 + 4 + 2 + Buffer.byteLength(topic) + 4 + 4);
}

async function firstAnswer(socket: ReturnType<typeof connect>): Promise<Buffer> {
  let received = Buffer.alloc(0);
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk as Buffer]);
    if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) socket.end();
  });
  await bytesOf(socket);
  return received;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

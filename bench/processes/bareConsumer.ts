/**
 * Does the least that a consumer of predictions can do: read with kafkajs, decode with avsc. Its
 * readings are the baseline of the profiler.
 *
 *   node bench/processes/bareConsumer.ts TOPIC
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import avro from 'avsc';
import kafkajs from 'kafkajs';
import { printReading } from '../harness/meter.ts';

const wireHeaderBytes = 5;
const recordsPerReading = 50_000;

const topic = process.argv[2]!;
const schema = readFileSync(new URL('../../schemas/prediction.avsc', import.meta.url), 'utf8');
const type = avro.Type.forSchema(JSON.parse(schema));
const kafka = new kafkajs.Kafka({
  clientId: 'bare',
  brokers: process.env.KAFKA_BROKERS!.split(','),
  logLevel: kafkajs.logLevel.ERROR,
});
// Fetch as much at a time as the profiler, because smaller fetches cost more.
const consumer = kafka.consumer({ groupId: randomUUID(), maxBytesPerPartition: 4 * 1024 * 1024 });
let records = 0;
/** Depends on every record, so that no decoding can be optimised away. */
let latestMs = 0;
let read = 0;

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  eachBatch: async ({ batch }) => {
    for (const { value } of batch.messages) {
      const prediction = type.fromBuffer(value!.subarray(wireHeaderBytes)) as { time: number };
      latestMs = Math.max(latestMs, prediction.time);
    }
    records += batch.messages.length;
    if (
      records - read >= recordsPerReading ||
      Number(batch.highWatermark) === Number(batch.lastOffset()) + 1
    ) {
      read = records;
      printReading(records);
    }
  },
});
process.once('SIGTERM', async () => {
  await consumer.disconnect();
  process.exit(latestMs > 0 ? 0 : 1);
});

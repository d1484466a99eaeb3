import type { Prediction } from '../../services/shared/contracts.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import type { BenchInstallation } from '../harness/benchInstallation.ts';

/** Shared by the partitions; Kafka takes a megabyte for each. */
const bytesPerSend = 2 * 1024 ** 2;
export const partitions = 4;

/** Sends the predictions with the numbers from `first` to `end - 1` as Avro, in turns to the partitions. */
export async function producePredictions(
  installation: BenchInstallation,
  predictionOf: (index: number) => Prediction,
  end: number,
  first = 0,
): Promise<void> {
  const { environment, producer, schemas } = installation;
  const topic = prefixed(environment, topics.predictions);
  const encode = await schemas.encoder<Prediction>('Prediction', topic);
  let messages: { partition: number; key: string; value: Buffer }[] = [];
  let bytes = 0;
  for (let index = first; index < end; index++) {
    const prediction = predictionOf(index);
    const value = encode(prediction);
    messages.push({ partition: index % partitions, key: prediction.id, value });
    bytes += value.length;
    if (bytes < bytesPerSend && index < end - 1) continue;
    await producer.send({ topic, messages });
    messages = [];
    bytes = 0;
  }
}

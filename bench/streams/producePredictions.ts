import type { Prediction } from '../../services/shared/contracts.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import type { BenchInstallation } from '../harness/benchInstallation.ts';

/** Bytes of all partitions together; Kafka takes 1 MB for each. */
const maxSendBytes = 2 * 1024 ** 2;
export const partitions = 4;

/** Sends the predictions with numbers from `first` to `end - 1` as Avro. Partitions take turns. */
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
    if (bytes < maxSendBytes && index < end - 1) continue;
    await producer.send({ topic, messages });
    messages = [];
    bytes = 0;
  }
}

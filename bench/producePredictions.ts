import type { Prediction } from '../services/shared/contracts.ts';
import { prefixed, topics } from '../services/shared/topics.ts';
import type { BenchInstallation } from './benchInstallation.ts';

const recordsPerSend = 8_000;
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
  for (let start = first; start < end; start += recordsPerSend) {
    const messages = Array.from({ length: Math.min(recordsPerSend, end - start) }, (_, offset) => {
      const index = start + offset;
      const prediction = predictionOf(index);
      return { partition: index % partitions, key: prediction.id, value: encode(prediction) };
    });
    await producer.send({ topic, messages });
  }
}

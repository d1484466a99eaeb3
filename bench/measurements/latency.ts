import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from 'simple-statistics';
import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { type BenchInstallation, withInstallation } from '../harness/benchInstallation.ts';
import type { Line, Measurement } from '../harness/measurement.ts';
import { featurePool, firstEventTimeMs, usualFeatures } from '../streams/predictionStream.ts';
import { partitions } from '../streams/producePredictions.ts';

const windowMs = 1_000;
const recordsPerWindow = 120;
/**
 * First window with a drift, long after the bootstrap reference. Each model drifts in another
 * window.
 */
const firstDrift = 20;
const windowsBetweenDrifts = 2;
const windowsAfterDrift = 20;

const settings = `defaults: { window: 1s, outOfOrderness: 0s, idle: 1h }\n`;

/**
 * Measures the time from the end of a window to the verdict. It starts when Kafka has acknowledged
 * the records that make the watermark pass the end of the window. It ends with the arrival of the
 * drift event at a consumer, and with the row of evaluated_windows. All is one machine's clock.
 */
export const latency: Measurement = {
  name: 'latency',
  async run({ quick, servers, onProgress }) {
    const models = quick ? 5 : 20;
    return withInstallation(await servers(), 'latency', settings, async installation => {
      await Promise.all((['profiler', 'detector'] as const).map(installation.startService));
      const events = await driftEventArrivals(installation);
      const passedMs = await produceWindows(installation, models, onProgress);
      await installation.untilQuiet('profiler', 'detector');
      const evaluations = await installation.clickhouse.select<{
        end_ms: number;
        evaluated_ms: number;
      }>(
        `SELECT toUnixTimestamp64Milli(window_end) AS end_ms,
                toUnixTimestamp64Milli(evaluated_at) AS evaluated_ms
         FROM evaluated_windows WHERE revision = 1`,
      );
      await events.stop();
      const delaysOf = (arrivals: readonly { endMs: number; arrivedMs: number }[]) =>
        arrivals.flatMap(({ endMs, arrivedMs }) => {
          const passed = passedMs.get(endMs);
          return passed === undefined ? [] : [(arrivedMs - passed) / 1_000];
        });
      return [
        ...delayLines('window end to drift event', delaysOf(events.arrivals)),
        ...delayLines(
          'window end to row of evaluated_windows',
          delaysOf(
            evaluations.map(({ end_ms, evaluated_ms }) => ({
              endMs: end_ms,
              arrivedMs: evaluated_ms,
            })),
          ),
        ),
      ];
    });
  },
};

function delayLines(name: string, delays: readonly number[]): Line[] {
  if (delays.length === 0) throw new Error(`${name}: nothing arrived`);
  const line = (title: string, share: number, atMost: number): Line => ({
    name: `${name}, ${title}`,
    unit: 's',
    rounds: [{ value: quantile([...delays], share), baseline: null }],
    target: { atMost },
    note: `${delays.length} of them, the slowest ${Math.max(...delays).toFixed(2)} s`,
  });
  return [line('p50', 0.5, 1), line('p99', 0.99, 2)];
}

/** Collects first revisions of drift events with the wall clock of their arrival. */
async function driftEventArrivals({ kafka, environment, schemas }: BenchInstallation) {
  const topic = prefixed(environment, topics.driftEvents);
  await schemas.encoder('DriftEvent', topic);
  const arrivals: { endMs: number; arrivedMs: number }[] = [];
  const consumer = kafka.consumer({ groupId: `${topic}-latency`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise<void>(resolve =>
    consumer.on(consumer.events.GROUP_JOIN, () => resolve()),
  );
  await consumer.run({
    eachMessage: async ({ message }) => {
      const arrivedMs = Date.now();
      // The event time of a drift event is the end of the window that changed it.
      const time = message.headers?.ce_time?.toString();
      if (time !== undefined) arrivals.push({ endMs: Date.parse(time), arrivedMs });
    },
  });
  await joined;
  return { arrivals, stop: () => consumer.disconnect() };
}

/**
 * Sends one window per second, with the records of all models at once.
 * @returns by end of a window the wall clock at which the watermark had passed it
 */
async function produceWindows(
  { environment, producer, schemas }: BenchInstallation,
  models: number,
  onProgress: (line: string) => void,
): Promise<Map<number, number>> {
  const topic = prefixed(environment, topics.predictions);
  const encode = await schemas.encoder<Prediction>('Prediction', topic);
  const pool = featurePool(usualFeatures, 4_096);
  const passedMs = new Map<number, number>();
  const windows = firstDrift + models * windowsBetweenDrifts + windowsAfterDrift;
  const startedMs = Date.now();
  for (let window = 0; window < windows; window++) {
    await pause(Math.max(0, startedMs + window * windowMs - Date.now()));
    const messages = Array.from({ length: models * recordsPerWindow }, (_, index) => {
      const prediction = predictionAt(window, index, models, pool);
      // Partitions take turns per model, so that each model has records in all of them.
      return {
        partition: Math.floor(index / models) % partitions,
        key: prediction.id,
        value: encode(prediction),
      };
    });
    await producer.send({ topic, messages });
    passedMs.set(firstEventTimeMs + window * windowMs, Date.now());
    if (window % 20 === 0) onProgress(`window ${window} of ${windows}`);
  }
  return passedMs;
}

function predictionAt(
  window: number,
  index: number,
  models: number,
  pool: readonly Prediction['features'][],
): Prediction {
  const model = index % models;
  const features = pool[(window * 997 + index * 31) % pool.length]!;
  const drifted = window >= firstDrift + model * windowsBetweenDrifts;
  return {
    ...predictionDefaults,
    id: `${window}-${index}`,
    model: `bench-${model}`,
    version: '1',
    // All records are at the very start of the window, and so pass the end of the one before.
    time: firstEventTimeMs + window * windowMs,
    features: drifted ? { ...features, number_0: (features.number_0 as number) + 3 } : features,
    prediction: index % 3 === 0 ? 'yes' : 'no',
  };
}

import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { type BenchInstallation, withInstallation } from '../harness/benchInstallation.ts';
import type { Measurement, Round } from '../harness/measurement.ts';
import { costAfterWarmUp, eventsPerCpuSecond, meteredRun } from '../harness/meteredRun.ts';
import { profilerRun } from '../harness/profilerRun.ts';
import { predictionStream } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

interface Size {
  records: number;
  warmUp: number;
  rounds: number;
}

/**
 * Measures the profiler without raw rows (consume, decode, check, count, store window profiles,
 * announce) against a consumer that only decodes.
 */
export const profilerWindows: Measurement = {
  name: 'profiler-windows',
  async run({ quick, servers, onProgress }) {
    const size: Size = quick
      ? { records: 150_000, warmUp: 50_000, rounds: 1 }
      : { records: 600_000, warmUp: 150_000, rounds: 5 };
    const settings = 'defaults: { window: 1m }\n';
    return withInstallation(await servers(), 'profiler_windows', settings, async installation => {
      await producePredictions(installation, predictionStream(), size.records);
      const rounds: Round[] = [];
      for (let round = 1; round <= size.rounds; round++) {
        rounds.push({
          baseline: await bareConsumer(installation, size),
          value: await profiler(installation, size),
        });
        onProgress(`round ${round} of ${size.rounds}: ${JSON.stringify(rounds.at(-1))}`);
      }
      const name = 'profiler, windows only; baseline: a bare consumer that decodes';
      return [{ name, unit: 'events per CPU second', rounds, target: { atLeast: 0.6 } }];
    });
  },
};

async function bareConsumer(
  { environment, variables, folder }: BenchInstallation,
  size: Size,
): Promise<number> {
  const readings = await meteredRun({
    script: 'bareConsumer.ts',
    args: [prefixed(environment, topics.predictions)],
    variables,
    logDir: folder,
    records: size.records,
  });
  return eventsPerCpuSecond(costAfterWarmUp(readings, size.warmUp));
}

async function profiler(installation: BenchInstallation, size: Size): Promise<number> {
  const readings = await profilerRun(installation, { rawRows: false, records: size.records });
  return eventsPerCpuSecond(costAfterWarmUp(readings, size.warmUp));
}

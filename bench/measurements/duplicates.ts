import { withInstallation } from '../harness/benchInstallation.ts';
import type { Measurement, Round } from '../harness/measurement.ts';
import { type Cost, costAfterWarmUp, eventsPerCpuSecond } from '../harness/meteredRun.ts';
import { profilerRun } from '../harness/profilerRun.ts';
import { predictionStream } from '../streams/predictionStream.ts';
import { partitions, producePredictions } from '../streams/producePredictions.ts';

const idsPerSecond = 100_000;
/** Each id comes again after this number of others, in the same partition. */
const distance = 20_000 * partitions;

/**
 * Measures a stream of 100,000 ids per second of event time in which every record comes twice,
 * against the same stream in which it comes once.
 */
export const duplicates: Measurement = {
  name: 'duplicates',
  async run({ quick, servers, onProgress }) {
    const records = quick ? 200_000 : 800_000;
    const stack = await servers();
    const usual = predictionStream({ recordsPerMinute: idsPerSecond * 60 });
    const repeated = (index: number) => {
      const block = Math.floor(index / distance);
      return usual(Math.floor(block / 2) * distance + (index % distance));
    };
    let peakBytes = 0;
    const costs = (name: string, predictionOf: typeof usual): Promise<Cost[]> =>
      withInstallation(stack, name, 'defaults: { window: 1m }\n', async installation => {
        await producePredictions(installation, predictionOf, records);
        const found: Cost[] = [];
        for (let round = 0; round < (quick ? 1 : 3); round++) {
          found.push(
            costAfterWarmUp(
              await profilerRun(installation, { rawRows: false, records }),
              records / 4,
            ),
          );
          peakBytes = Math.max(peakBytes, found.at(-1)!.peakRssBytes);
          onProgress(
            `${name}: ${found.at(-1)!.cpuMs.toFixed(0)} ms for ${found.at(-1)!.records} events`,
          );
        }
        return found;
      });
    const without = await costs('without_duplicates', usual);
    const rounds: Round[] = (await costs('duplicates', repeated)).map((cost, round) => ({
      value: eventsPerCpuSecond(cost),
      baseline: eventsPerCpuSecond(without[round]!),
    }));
    return [
      {
        name: 'profiler, windows only, 100,000 ids/s of which each comes twice; baseline: each comes once',
        unit: 'events per CPU second',
        rounds,
        target: { atLeast: 0.75 },
      },
      {
        name: 'profiler, 100,000 ids/s, peak of resident memory',
        unit: 'MB',
        rounds: [{ value: peakBytes / 1024 ** 2, baseline: null }],
        target: { atMost: 512 },
      },
    ];
  },
};

import { type BenchInstallation, withInstallation } from '../harness/benchInstallation.ts';
import type { Line, Measurement, Round } from '../harness/measurement.ts';
import { type Cost, costAfterWarmUp, eventsPerCpuSecond } from '../harness/meteredRun.ts';
import { peakMemoryMegabytes } from '../harness/processCpu.ts';
import { profilerRun } from '../harness/profilerRun.ts';
import { firstEventTimeMs, predictionStream } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

const twentyFeatures = { numeric: 14, categorical: 6 };
const windowMs = 60_000;
const openWindows = 3;
const maxMegabytes = 512;
const settings = 'defaults: { window: 1m, outOfOrderness: 10m }\n';

/** Returns event times that advance in three windows at the same time. */
const threeWindows = (models: number) => (index: number) =>
  firstEventTimeMs + (Math.floor(index / models) % openWindows) * windowMs;

/**
 * Measures a thousand models against one: events per CPU second of the profiler, and the memory of
 * all services.
 */
export const manyModels: Measurement = {
  name: 'many-models',
  async run({ quick, servers, onProgress }) {
    const models = quick ? 50 : 1_000;
    const records = quick ? 150_000 : 600_000;
    const stack = await servers();
    const run = (
      name: string,
      count: number,
      use: (installation: BenchInstallation) => Promise<Cost[]>,
    ) =>
      withInstallation(stack, name, settings, async installation => {
        const timeMsOf = threeWindows(count);
        await producePredictions(
          installation,
          predictionStream({ features: twentyFeatures, models: count, timeMsOf }),
          records,
        );
        return use(installation);
      });
    const measured = async (installation: BenchInstallation) => {
      const costs: Cost[] = [];
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        costs.push(
          costAfterWarmUp(await profilerRun(installation, { rawRows: true, records }), records / 3),
        );
        onProgress(`${costs.at(-1)!.cpuMs.toFixed(0)} ms for ${costs.at(-1)!.records} events`);
      }
      return costs;
    };
    let memory: Line[] = [];
    const one = await run('one_model', 1, measured);
    const many = await run('many_models', models, async installation => {
      const costs = await measured(installation);
      memory = await memoryLines(installation, models);
      return costs;
    });
    const rounds: Round[] = many.map((cost, round) => ({
      value: eventsPerCpuSecond(cost),
      baseline: eventsPerCpuSecond(one[round]!),
    }));
    return [
      {
        name: `profiler, ${models} models of 20 features, ${openWindows} open windows each; baseline: one model`,
        unit: 'events per CPU second',
        rounds,
        target: { atLeast: 0.75 },
      },
      ...memory,
    ];
  },
};

async function memoryLines(installation: BenchInstallation, models: number): Promise<Line[]> {
  const services = ['profiler', 'evaluator', 'detector'] as const;
  const processes = await Promise.all(services.map(installation.startService));
  await installation.untilQuiet(...services);
  return processes.map(({ name, pid }) => ({
    name: `${name}, ${models} models of 20 features, peak of resident memory`,
    unit: 'MB',
    rounds: [{ value: peakMemoryMegabytes(pid), baseline: null }],
    target: { atMost: maxMegabytes },
  }));
}

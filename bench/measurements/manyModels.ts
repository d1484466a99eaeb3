import { type BenchInstallation, withInstallation } from '../harness/benchInstallation.ts';
import type { Line, Measurement, Round } from '../harness/measurement.ts';
import { type Cost, costAfterWarmUp } from '../harness/meteredRun.ts';
import { peakMemoryMegabytes } from '../harness/processCpu.ts';
import { profilerRun } from '../harness/profilerRun.ts';
import { firstEventTimeMs, predictionStream } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

const twentyFeatures = { numeric: 14, categorical: 6 };
const windowMs = 60_000;
const openWindows = 3;
const mostMegabytes = 512;
const settings = 'defaults: { window: 1m, outOfOrderness: 10m }\n';

/** Event times that go on in three windows at once. */
const threeWindows = (models: number) => (index: number) =>
  firstEventTimeMs + (Math.floor(index / models) % openWindows) * windowMs;

/** A thousand models against one: the profiler's events per CPU second, and the memory of all services. */
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
      value: eventsPerSecond(cost),
      baseline: eventsPerSecond(one[round]!),
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

function eventsPerSecond({ records, cpuMs }: Cost): number {
  return (records * 1_000) / cpuMs;
}

async function memoryLines(installation: BenchInstallation, models: number): Promise<Line[]> {
  const services = ['profiler', 'evaluator', 'detector'] as const;
  const processes = await Promise.all(services.map(installation.startService));
  await installation.untilQuiet(...services);
  return processes.map(({ name, pid }) => ({
    name: `${name}, ${models} models of 20 features, peak of resident memory`,
    unit: 'MB',
    rounds: [{ value: peakMemoryMegabytes(pid), baseline: null }],
    target: { atMost: mostMegabytes },
  }));
}

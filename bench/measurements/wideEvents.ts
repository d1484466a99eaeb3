import { withInstallation } from '../harness/benchInstallation.ts';
import type { Measurement, Round } from '../harness/measurement.ts';
import { costAfterWarmUp } from '../harness/meteredRun.ts';
import { profilerRun } from '../harness/profilerRun.ts';
import { type FeatureCounts, predictionStream } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

/** Measures values per CPU second of events with 500 features, against events with 20. */
export const wideEvents: Measurement = {
  name: 'wide-events',
  async run({ quick, servers, onProgress }) {
    const values = quick ? 3_000_000 : 12_000_000;
    const stack = await servers();
    let peakBytes = 0;
    const valuesPerSecond = (name: string, features: FeatureCounts): Promise<number[]> =>
      withInstallation(stack, name, 'defaults: { window: 1h }\n', async installation => {
        const count = features.numeric + features.categorical;
        const records = values / count;
        await producePredictions(installation, predictionStream({ features }), records);
        const figures: number[] = [];
        for (let round = 0; round < (quick ? 1 : 3); round++) {
          const readings = await profilerRun(installation, { rawRows: true, records });
          const cost = costAfterWarmUp(readings, records / 4);
          peakBytes = Math.max(peakBytes, cost.peakRssBytes);
          figures.push((cost.records * count * 1_000) / cost.cpuMs);
          onProgress(`${count} features: ${Math.round(figures.at(-1)!)} values/s`);
        }
        return figures;
      });
    const usual = await valuesPerSecond('usual_events', { numeric: 14, categorical: 6 });
    const wide = await valuesPerSecond('wide_events', { numeric: 350, categorical: 150 });
    const rounds: Round[] = wide.map((value, round) => ({ value, baseline: usual[round]! }));
    return [
      {
        name: 'profiler, events of 500 features; baseline: of 20 features',
        unit: 'values per CPU second',
        rounds,
        target: { atLeast: 0.75 },
      },
      {
        name: 'profiler, events of 500 features, peak of resident memory',
        unit: 'MB',
        rounds: [{ value: peakBytes / 1024 ** 2, baseline: null }],
        target: { atMost: 512 },
      },
    ];
  },
};

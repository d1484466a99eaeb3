import { withInstallation } from '../harness/benchInstallation.ts';
import type { Measurement } from '../harness/measurement.ts';
import { processCpuMs } from '../harness/processCpu.ts';
import { predictionStream } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

const recordsPerWindow = 250;
const measuredWindows = 40;
/** Windows of another model, in which all code gets compiled. */
const warmUpWindows = 100;
/** How much more a window may cost with a hundred times the history. */
const maxGrowth = 1.25;
const services = ['profiler', 'detector'] as const;

/**
 * Measures what further windows of a stream cost when 1×, 10× and 100× as many are stored already.
 */
export const growth: Measurement = {
  name: 'growth',
  async run({ quick, servers, onProgress }) {
    const histories = [1, 10, 100].map(times => times * (quick ? 4 : 20));
    const { clickhousePid, ...stack } = await servers();
    return withInstallation(
      { clickhousePid, ...stack },
      'growth',
      'defaults: { window: 1m }\n',
      async installation => {
        const [profiler, detector] = await Promise.all(services.map(installation.startService));
        const predictionOf = predictionStream({ recordsPerMinute: recordsPerWindow });
        const warmUpOf = (index: number) => ({ ...predictionOf(index), model: 'warm-up' });
        await producePredictions(installation, warmUpOf, warmUpWindows * recordsPerWindow);
        await installation.untilQuiet(...services);
        let produced = 0;
        const proceed = async (windows: number) => {
          const end = produced + windows * recordsPerWindow;
          await producePredictions(installation, predictionOf, end, produced);
          produced = end;
          await installation.untilQuiet(...services);
        };
        const cpuMs = () => [profiler!.pid, detector!.pid, clickhousePid].map(processCpuMs);
        const costs: number[][] = [];
        for (const windows of histories) {
          await proceed(windows - produced / recordsPerWindow);
          const before = cpuMs();
          await proceed(measuredWindows);
          const after = cpuMs();
          costs.push(after.map((value, index) => (value - before[index]!) / measuredWindows));
          onProgress(
            `${windows} windows stored: profiler, detector, ClickHouse ${costs.at(-1)!.join(', ')} ms per window`,
          );
        }
        return ['profiler', 'detector', 'ClickHouse'].map((name, index) => ({
          name: `${name}, a further window of ${recordsPerWindow} events, ${histories[2]} stored; baseline: ${histories[0]} stored`,
          unit: 'CPU ms per window',
          rounds: [{ value: costs[2]![index]!, baseline: costs[0]![index]! }],
          target: { atMost: maxGrowth },
          note: `${histories.join(', ')} windows stored: ${costs.map(cost => cost[index]!.toFixed(1)).join(', ')}`,
        }));
      },
    );
  },
};

import { withInstallation } from '../harness/benchInstallation.ts';
import type { Measurement } from '../harness/measurement.ts';
import { profilerRun } from '../harness/profilerRun.ts';
import { predictionStream } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

const megabyte = 1024 ** 2;

/**
 * Measures the memory of a profiler that comes back to millions of events. It must not grow with
 * their number.
 */
export const backlog: Measurement = {
  name: 'backlog',
  async run({ quick, servers, onProgress }) {
    const records = quick ? 200_000 : 10_000_000;
    return withInstallation(
      await servers(),
      'backlog',
      'defaults: { window: 1m }\n',
      async installation => {
        await producePredictions(installation, predictionStream(), records);
        onProgress(`${records} events are waiting`);
        const startedMs = Date.now();
        const readings = await profilerRun(installation, { rawRows: true, records });
        const seconds = (Date.now() - startedMs) / 1_000;
        const atTenth = readings.find(reading => reading.records >= records / 10)!;
        const last = readings.at(-1)!;
        return [
          {
            name: `profiler, backlog of ${records} events, peak of resident memory`,
            unit: 'MB',
            rounds: [{ value: last.peakRssBytes / megabyte, baseline: null }],
            target: { atMost: 512 },
            note: `after a tenth ${Math.round(atTenth.peakRssBytes / megabyte)} MB; ${Math.round(records / seconds)} events/s of wall clock`,
          },
        ];
      },
    );
  },
};

import type { GeneratedStream } from './generatedStream.ts';
import { randomOf } from './random.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);
const windows = 80;
const records = 500;
const correlationBefore = 0.8;

/**
 * Makes a stream in which two features lose their correlation. The distribution of each one stays.
 */
export function dependenceStream(seed: number): GeneratedStream {
  const onset = randomOf('dependence', seed).integer(20) + 40;
  return {
    name: `dependence-${seed}`,
    windowSizeMs: hourMs,
    truth: {
      dataset: 'normal',
      type: 'dependence',
      mode: 'ABRUPT',
      starts: [onset],
      maxDelay: 10,
      rows: windows,
      monitoredFrom: 0,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / hourMs,
    },
    *rows() {
      const random = randomOf('dependence rows', seed);
      for (let window = 0; window < windows; window++) {
        const correlation = window < onset ? correlationBefore : 0;
        for (let record = 0; record < records; record++) {
          const [common, own] = [random.normal(), random.normal()];
          yield {
            timeMs: startMs + (window + record / records) * hourMs,
            features: {
              a: common,
              b: correlation * common + Math.sqrt(1 - correlation ** 2) * own,
              c: random.normal(),
              d: random.exponential(),
            },
            prediction: random.uniform() < 0.5 ? 'yes' : 'no',
            score: null,
            label: null,
          };
        }
      }
    },
  };
}

import type { GeneratedStream } from './generatedStream.ts';
import { randomOf } from './random.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);
const windows = 60;
const records = 8333;
const numeric = 11;
/**
 * The first drift moves three columns; the second one changes a category and the spread of a
 * column. Both stay.
 */
const drifts = [20, 40];

/** Makes an hour of dense traffic: 13 columns in windows of one minute. */
export function minuteStream(seed: number): GeneratedStream {
  return {
    name: `minutes-${seed}`,
    windowSizeMs: minuteMs,
    truth: {
      dataset: '13 columns',
      type: 'two drifts',
      mode: 'ABRUPT',
      starts: drifts,
      // A drift must be found in its first window.
      maxDelay: 1,
      rows: windows,
      monitoredFrom: 0,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / minuteMs,
    },
    *rows() {
      const random = randomOf('minutes', seed);
      for (let window = 0; window < windows; window++) {
        const [first, second] = drifts.map(start => (window >= start ? 1 : 0)) as [number, number];
        for (let record = 0; record < records; record++) {
          const features: Record<string, number | string> = {};
          for (let column = 0; column < numeric; column++) {
            const spread = column === 5 ? 1 + 0.3 * second : 1;
            features[`n${column}`] = random.normal() * spread + (column < 3 ? 0.3 * first : 0);
          }
          features.plan = random.uniform() < 0.6 - 0.1 * second ? 'basic' : 'pro';
          features.visits = random.poisson(3);
          yield {
            timeMs: startMs + (window + record / records) * minuteMs,
            features,
            prediction: random.uniform() < 0.3 ? 'yes' : 'no',
            score: null,
            label: null,
          };
        }
      }
    },
  };
}

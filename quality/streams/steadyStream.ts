import type { GeneratedStream } from './generatedStream.ts';
import { type Random, randomOf } from './random.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);
const categories = 500;
const missingShare = 0.02;
const errorRate = 0.1;

export interface SteadyOptions {
  records: number;
  windows: number;
  seed: number;
  /** One of the features is higher by this number of standard deviations from a window on. */
  shift: { fromWindow: number; deviations: number } | null;
}

/**
 * Makes hourly windows of 12 features of many kinds that never change: normal, heavy tails, skewed,
 * counts, categories with a long tail and with equal shares, constant and nearly constant, mostly
 * zero. 2 % of the values are missing. With odd seeds the number of records varies.
 */
export function steadyStream({ records, windows, seed, shift }: SteadyOptions): GeneratedStream {
  const drift = shift ? 'shift' : 'none';
  return {
    name: `steady-${records}-${drift}-${seed}`,
    windowSizeMs: hourMs,
    truth: {
      dataset: `${records} records`,
      type: drift,
      mode: shift ? 'ABRUPT' : 'NONE',
      starts: shift ? [shift.fromWindow] : [],
      maxDelay: 2,
      rows: windows,
      monitoredFrom: 0,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / hourMs,
    },
    *rows() {
      const random = randomOf('steady', records, drift, seed);
      for (let window = 0; window < windows; window++) {
        const count = seed % 2 === 0 ? records : random.poisson(records);
        const shifted = shift && window >= shift.fromWindow ? shift.deviations : 0;
        for (let record = 0; record < count; record++) {
          const label = random.integer(3);
          const output = random.uniform() < errorRate ? (label + 1) % 3 : label;
          yield {
            timeMs: startMs + (window + record / count) * hourMs,
            features: features(random, shifted),
            prediction: `c${output}`,
            score: null,
            label: `c${label}`,
          };
        }
      }
    },
  };
}

function features(random: Random, shifted: number) {
  const given = <T>(value: T): T | null => (random.uniform() < missingShare ? null : value);
  return {
    normal: given(random.normal() + shifted),
    cauchy: given(random.studentT(2) * Math.exp(random.normal())),
    lognormal: given(Math.exp(2 * random.normal())),
    zipf: given(`z${Math.min(categories, Math.floor((1 - random.uniform()) ** -2))}`),
    category: given(`k${random.integer(categories)}`),
    constant: 1,
    rare: given(random.uniform() < 0.01),
    even: given(random.uniform() < 0.5),
    few: given(random.poisson(1)),
    many: given(random.poisson(30)),
    mostlyZero: given(random.uniform() < 0.9 ? 0 : random.exponential()),
    studentT: given(random.studentT(2)),
  };
}

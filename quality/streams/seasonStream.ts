import type { GeneratedStream } from './generatedStream.ts';
import type { Mode } from './injectDrift.ts';
import { type Random, randomOf } from './random.ts';

export const seasonDrifts = ['none', 'mean', 'mix', 'concept'] as const;
export type SeasonDrift = (typeof seasonDrifts)[number];

const hourMs = 3_600_000;
const weeks = 16;
const hours = weeks * 168;
const rampHours = 72;
/** A Monday. */
const startMs = Date.UTC(2026, 0, 5);
const categories = 6;
const memories = [0, 0.5, 0.8, 0.95];
const noises = [0.05, 0.1, 0.2, 0.3];

/**
 * Hourly windows of a service with days, weeks and three holidays, noise that remembers, and traffic that varies twenty-fold. Drifts: the
 * mean of an input, the mix of a category, or the errors. The first two weeks are there to learn from.
 */
export function seasonStream(drift: SeasonDrift, mode: Mode, seed: number): GeneratedStream {
  const random = randomOf('season', drift, mode, seed);
  const onset = Math.floor(hours * random.between(0.5, 0.8));
  return {
    name: `season-${drift}-${mode.toLowerCase()}-${seed}`,
    windowSizeMs: hourMs,
    truth: {
      dataset: 'season',
      type: drift,
      mode,
      starts: drift === 'none' ? [] : [onset],
      maxDelay: 168,
      rows: hours,
      monitoredFrom: 336,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / hourMs,
    },
    rows: () => seasonRows(drift, mode, seed, onset, randomOf('season rows', drift, mode, seed)),
  };
}

function* seasonRows(drift: SeasonDrift, mode: Mode, seed: number, onset: number, random: Random) {
  const memory = memories[seed % 4]!;
  const noise = noises[Math.floor(seed / 4) % 4]!;
  /** A first-order autoregression with the deviation `noise`. */
  const wandering = () => {
    const values = [random.normal() * noise];
    while (values.length < hours)
      values.push(memory * values.at(-1)! + random.normal() * noise * Math.sqrt(1 - memory ** 2));
    return values;
  };
  const amplitudes = Array.from({ length: 5 }, () => random.between(0.2, 1));
  const direction = random.uniform() < 0.5 ? -0.5 : 0.5;
  const holidays = new Set(Array.from({ length: 3 }, () => 14 + random.integer(weeks * 7 - 14)));
  const [level1, level2, levelError, levelLabel] = [
    wandering(),
    wandering(),
    wandering(),
    wandering(),
  ];
  const mix = Array.from({ length: categories }, () => ({
    day: random.normal() * 0.5,
    weekend: random.normal() * 0.4,
    drift: random.normal() * 0.6,
    base: random.normal() * 0.7,
    noise: wandering(),
  }));
  const trafficLevel = random.between(2.9, 3.4);
  for (let hour = 0; hour < hours; hour++) {
    const ofDay = hour % 24;
    const ofWeek = Math.floor(hour / 24) % 7;
    const rest = ofWeek >= 5 || holidays.has(Math.floor(hour / 24)) ? 1 : 0;
    const day = Math.sin((2 * Math.PI * (ofDay - 7)) / 24);
    const evening = Math.sin((4 * Math.PI * (ofDay - 3)) / 24);
    const progress =
      hour < onset ? 0 : mode === 'ABRUPT' ? 1 : Math.min(1, (hour - onset) / rampHours);
    const strength = (wanted: SeasonDrift) => (drift === wanted ? progress : 0);
    const traffic =
      trafficLevel + 0.75 * (1 + day) + (day > 0 ? 1 : 0) - 0.5 * rest + 0.15 * random.normal();
    const mean1 =
      amplitudes[0]! * day +
      0.5 * amplitudes[1]! * rest +
      level1![hour]! +
      strength('mean') * direction;
    const mean2 = 0.3 * amplitudes[2]! * evening + level2![hour]!;
    const weights = mix.map(({ day: ofDay, weekend, drift: shift, base, noise: own }) =>
      Math.exp(base + ofDay * day + weekend * rest + shift * strength('mix') + own[hour]!),
    );
    const labelLogit = -1 + 0.6 * amplitudes[3]! * day + 0.4 * rest + levelLabel![hour]!;
    const errorRate =
      Math.min(
        0.6,
        Math.max(
          0.01,
          0.12 + 0.06 * amplitudes[4]! * day + 0.03 * rest + 0.15 * levelError![hour]!,
        ),
      ) +
      0.1 * strength('concept');
    const records = random.poisson(Math.min(700, Math.max(8, Math.exp(traffic))));
    for (let record = 0; record < records; record++) {
      const own = random.normal();
      const isPositive = random.uniform() < 1 / (1 + Math.exp(-(labelLogit + 0.4 * own)));
      const isWrong = random.uniform() < errorRate;
      yield {
        timeMs: startMs + (hour + record / records) * hourMs,
        features: {
          x1: mean1 + own,
          x2: Math.exp(0.8 * mean2) * random.studentT(2.5),
          x3: random.normal(),
          x4: Math.round(Math.exp(1 + random.normal())),
          category: `k${drawn(weights, random)}`,
        },
        prediction: isPositive !== isWrong ? 'yes' : 'no',
        score: null,
        label: isPositive ? 'yes' : 'no',
      };
    }
  }
}

/** An index, by weight. */
function drawn(weights: readonly number[], random: Random): number {
  let rest = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let index = 0; index < weights.length - 1; index++) {
    rest -= weights[index]!;
    if (rest < 0) return index;
  }
  return weights.length - 1;
}

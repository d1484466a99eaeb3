import type { GeneratedStream, StreamRow } from './generatedStream.ts';
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
 * Makes the stream of a service with daily and weekly cycles, three holidays, autocorrelated noise
 * and traffic that varies twenty-fold, in hourly windows. What drifts is the mean of an input, the
 * mix of a category, or the errors. The first two weeks are not scored.
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

function* seasonRows(
  drift: SeasonDrift,
  mode: Mode,
  seed: number,
  onset: number,
  random: Random,
): Generator<StreamRow> {
  const season = newSeason(seed, random);
  for (let hour = 0; hour < hours; hour++) {
    const progress =
      hour < onset ? 0 : mode === 'ABRUPT' ? 1 : Math.min(1, (hour - onset) / rampHours);
    const state = hourOf(season, hour, wanted => (drift === wanted ? progress : 0), random);
    for (let record = 0; record < state.records; record++)
      yield seasonRow(state, startMs + (hour + record / state.records) * hourMs, random);
  }
}

/** Parameters that are drawn once for a stream. */
interface Season {
  amplitudes: number[];
  /** By how much the mean drifts. */
  direction: number;
  /** Days counted from the start. */
  holidays: ReadonlySet<number>;
  /** Values per hour that wander around 0. */
  levels: { x1: number[]; x2: number[]; error: number[]; label: number[] };
  /** How the weight of each category depends on the time, and drifts. */
  mix: { day: number; weekend: number; drift: number; base: number; noise: number[] }[];
  trafficLevel: number;
}

function newSeason(seed: number, random: Random): Season {
  const memory = memories[seed % 4]!;
  const noise = noises[Math.floor(seed / 4) % 4]!;
  /** A first-order autoregression with the standard deviation `noise`. */
  const wandering = () => {
    const values = [random.normal() * noise];
    while (values.length < hours)
      values.push(memory * values.at(-1)! + random.normal() * noise * Math.sqrt(1 - memory ** 2));
    return values;
  };
  // The order of the draws is a part of the stream.
  const amplitudes = Array.from({ length: 5 }, () => random.between(0.2, 1));
  const direction = random.uniform() < 0.5 ? -0.5 : 0.5;
  const holidays = new Set(Array.from({ length: 3 }, () => 14 + random.integer(weeks * 7 - 14)));
  const levels = { x1: wandering(), x2: wandering(), error: wandering(), label: wandering() };
  const mix = Array.from({ length: categories }, () => ({
    day: random.normal() * 0.5,
    weekend: random.normal() * 0.4,
    drift: random.normal() * 0.6,
    base: random.normal() * 0.7,
    noise: wandering(),
  }));
  return { amplitudes, direction, holidays, levels, mix, trafficLevel: random.between(2.9, 3.4) };
}

/** Parameters of the rows of an hour. */
interface HourState {
  mean1: number;
  mean2: number;
  categoryWeights: number[];
  labelLogit: number;
  errorRate: number;
  records: number;
}

/** @param strengthOf how far a drift has come in, 0 to 1 */
function hourOf(
  { amplitudes, direction, holidays, levels, mix, trafficLevel }: Season,
  hour: number,
  strengthOf: (drift: SeasonDrift) => number,
  random: Random,
): HourState {
  const ofDay = hour % 24;
  const isWeekend = Math.floor(hour / 24) % 7 >= 5;
  const rest = isWeekend || holidays.has(Math.floor(hour / 24)) ? 1 : 0;
  const day = Math.sin((2 * Math.PI * (ofDay - 7)) / 24);
  const evening = Math.sin((4 * Math.PI * (ofDay - 3)) / 24);
  const traffic =
    trafficLevel + 0.75 * (1 + day) + (day > 0 ? 1 : 0) - 0.5 * rest + 0.15 * random.normal();
  const usualErrorRate =
    0.12 + 0.06 * amplitudes[4]! * day + 0.03 * rest + 0.15 * levels.error[hour]!;
  return {
    mean1:
      amplitudes[0]! * day +
      0.5 * amplitudes[1]! * rest +
      levels.x1[hour]! +
      strengthOf('mean') * direction,
    mean2: 0.3 * amplitudes[2]! * evening + levels.x2[hour]!,
    categoryWeights: mix.map(category =>
      Math.exp(
        category.base +
          category.day * day +
          category.weekend * rest +
          category.drift * strengthOf('mix') +
          category.noise[hour]!,
      ),
    ),
    labelLogit: -1 + 0.6 * amplitudes[3]! * day + 0.4 * rest + levels.label[hour]!,
    errorRate: Math.min(0.6, Math.max(0.01, usualErrorRate)) + 0.1 * strengthOf('concept'),
    records: random.poisson(Math.min(700, Math.max(8, Math.exp(traffic)))),
  };
}

function seasonRow(state: HourState, timeMs: number, random: Random): StreamRow {
  const own = random.normal();
  const isPositive = random.uniform() < 1 / (1 + Math.exp(-(state.labelLogit + 0.4 * own)));
  const isWrong = random.uniform() < state.errorRate;
  return {
    timeMs,
    features: {
      x1: state.mean1 + own,
      x2: Math.exp(0.8 * state.mean2) * random.studentT(2.5),
      x3: random.normal(),
      x4: Math.round(Math.exp(1 + random.normal())),
      category: `k${drawn(state.categoryWeights, random)}`,
    },
    prediction: isPositive !== isWrong ? 'yes' : 'no',
    score: null,
    label: isPositive ? 'yes' : 'no',
  };
}

/** Draws an index with a probability in proportion to its weight. */
function drawn(weights: readonly number[], random: Random): number {
  let rest = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let index = 0; index < weights.length - 1; index++) {
    rest -= weights[index]!;
    if (rest < 0) return index;
  }
  return weights.length - 1;
}

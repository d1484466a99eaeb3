import { dayMs } from '../../services/shared/duration.ts';
import type { GeneratedStream, StreamRow } from './generatedStream.ts';
import { wanderingOf } from './practicePerson.ts';
import { type Random, randomOf } from './random.ts';

export const persistenceKinds = ['regression', 'classification'] as const;
export type PersistenceKind = (typeof persistenceKinds)[number];

const days = 365;
const recordsPerDay = 200;
/** A Monday. */
const startMs = Date.UTC(2025, 0, 6);
/** Days between which the error may begin to be twice as high. */
const firstOnset = 150;
const lastOnset = 250;
const withinDays = 21;
const memories = [0.3, 0.6, 0.8, 0.9];
const waves = [0.15, 0.25, 0.35];
/** Every third stream has a shock that ends well before the onset. */
const shocks = { every: 3, from: 60, until: 100, days: 14 };
/** Days after the end of a shock in which an alarm is about its end. */
const daysAfterShock = 14;

/** A time in which much is different, and then everything is as before. */
interface Shock {
  firstDay: number;
  endDay: number;
}

/**
 * Makes a year of days in which level and error wander with a memory, and differ on weekends. From
 * a random day on the error is twice as high, for good; or it is not, in a quiet stream. Regressions
 * err by a number, classifications predict a wrong class.
 */
export function persistenceStream(
  kind: PersistenceKind,
  isDoubled: boolean,
  seed: number,
): GeneratedStream {
  const variant = isDoubled ? 'doubled' : 'quiet';
  const random = randomOf('persistence', kind, variant, seed);
  const onset = firstOnset + random.integer(lastOnset - firstOnset + 1);
  const firstDay = shocks.from + random.integer(shocks.until - shocks.from);
  const shock = seed % shocks.every === 0 ? { firstDay, endDay: firstDay + shocks.days } : null;
  const dayStart = (day: number) => startMs + day * dayMs;
  const name = `${kind}-${variant}${shock ? '-after-shock' : ''}`;
  return {
    name: `persistence-${name}-${seed}`,
    windowSizeMs: dayMs,
    truth: {
      dataset: 'persistence',
      type: name,
      mode: isDoubled ? 'ABRUPT' : 'NONE',
      starts: isDoubled ? [onset] : [],
      maxDelay: withinDays,
      rows: days,
      monitoredFrom: 0,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / dayMs,
    },
    expectation: {
      name,
      seed,
      change: isDoubled
        ? { onsetMs: dayStart(onset), withinMs: withinDays * dayMs, causes: ['concept_drift'] }
        : null,
      ignored: shock
        ? [
            {
              fromMs: dayStart(shock.firstDay),
              untilMs: dayStart(shock.endDay + daysAfterShock),
            },
          ]
        : [],
    },
    isKept: true,
    rows: () =>
      persistenceRows(
        { kind, seed, onset: isDoubled ? onset : days, shock },
        randomOf('persistence rows', kind, variant, seed),
      ),
  };
}

export interface PersistenceOptions {
  kind: PersistenceKind;
  seed: number;
  /** Day from which on the error is twice as high; 365 if it never is. */
  onset: number;
  shock: Shock | null;
}

/** Makes the records of a year. */
export function* persistenceRows(
  { kind, seed, onset, shock }: PersistenceOptions,
  random: Random,
): Generator<StreamRow> {
  const memory = memories[seed % memories.length]!;
  const wave = waves[Math.floor(seed / memories.length) % waves.length]!;
  const levels = wanderingOf(days, { memory, deviation: 0.3 }, random);
  const errors = wanderingOf(days, { memory, deviation: wave }, random);
  for (let day = 0; day < days; day++) {
    const isWeekend = day % 7 >= 5;
    const isShocked = shock !== null && day >= shock.firstDay && day < shock.endDay;
    const level = levels[day]! + (isWeekend ? 0.4 : 0) + (isShocked ? 3 : 0);
    const factor =
      Math.exp(errors[day]! + (isWeekend ? 0.3 : 0)) * (day >= onset ? 2 : 1) * (isShocked ? 4 : 1);
    const records = random.poisson(recordsPerDay * (isWeekend ? 0.6 : 1) * (isShocked ? 0.2 : 1));
    for (let record = 0; record < records; record++) {
      const timeMs = startMs + Math.floor((day + record / records) * dayMs);
      yield { timeMs, ...rowOf(kind, level, factor, random) };
    }
  }
}

function rowOf(
  kind: PersistenceKind,
  level: number,
  factor: number,
  random: Random,
): Omit<StreamRow, 'timeMs'> {
  const x = level + random.normal();
  const features = { x, y: random.normal(), place: `p${random.integer(4)}` };
  const noise = random.normal();
  const uniform = random.uniform();
  if (kind === 'regression') {
    const prediction = 20 + 3 * x;
    return { features, prediction, score: null, label: prediction + 2 * factor * noise };
  }
  const isPredicted = x > 0.5;
  const isWrong = uniform < Math.min(0.5, 0.1 * factor);
  return {
    features,
    prediction: isPredicted ? 'yes' : 'no',
    score: null,
    label: isPredicted === isWrong ? 'no' : 'yes',
  };
}

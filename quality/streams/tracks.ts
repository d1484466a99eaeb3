import { dayMs, hourMs } from '../../services/shared/duration.ts';
import { everySignal, type Signal } from '../counting/signals.ts';
import { conceptNames, conceptStream } from './conceptStream.ts';
import { dependenceStream } from './dependenceStream.ts';
import type { GeneratedStream, Labelling } from './generatedStream.ts';
import { injections, modes } from './injectDrift.ts';
import { joinedMarketsStream, orderedStream, shuffledStream } from './injectedStream.ts';
import { minuteStream } from './minuteStream.ts';
import { persistenceKinds, persistenceStream } from './persistenceStream.ts';
import { practiceCases } from './practiceCases.ts';
import { practiceStream } from './practiceStream.ts';
import { publicDatasets } from './publicDataset.ts';
import { seasonDrifts, seasonStream } from './seasonStream.ts';
import { steadyStream } from './steadyStream.ts';

/**
 * What a track must reach. False alarms are per 1000 rows, per 1000 windows or per model and month.
 */
export interface Target {
  f1Abrupt?: number;
  f1Gradual?: number;
  /** Minimum share of the drifts that are found in time. */
  found?: number;
  /** Minimum share of the first causes of these that are right. */
  rightCauses?: number;
  falsePerThousandRows?: number;
  falsePerThousandWindows?: number;
  falsePerModelMonth?: number;
}

/** Streams of one kind and how they are judged. */
export interface Track {
  name: string;
  signals: readonly Signal[];
  labelling: Labelling;
  /** Streams of each cell in the published table. */
  repeats: number;
  streams(repeats: number): Iterable<GeneratedStream>;
  target: Target;
}

const complete: Labelling = { delayMs: 0, rate: 1 };

function* protocol(repeats: number): Generator<GeneratedStream> {
  for (const name of Object.keys(publicDatasets))
    for (const injection of injections)
      for (const mode of modes)
        for (let repeat = 0; repeat < repeats; repeat++)
          yield shuffledStream(name, injection, mode, repeat);
}

function* ordered(name: string, repeats: number): Generator<GeneratedStream> {
  for (const injection of injections)
    for (const mode of modes)
      for (let repeat = 0; repeat < repeats; repeat++)
        yield orderedStream(name, injection, mode, repeat);
}

function* concepts(repeats: number): Generator<GeneratedStream> {
  for (const name of conceptNames)
    for (const mode of modes)
      for (let repeat = 0; repeat < repeats; repeat++) yield conceptStream(name, mode, repeat);
}

function* seasons(repeats: number): Generator<GeneratedStream> {
  for (let seed = 0; seed < repeats; seed++)
    for (const [index, drift] of seasonDrifts.entries())
      yield seasonStream(drift, modes[(seed + index) % 2]!, seed);
}

/**
 * Windows are an hour. A repeat is 100 days of a model with few records, and less of one with many.
 */
const steadySizes = [
  { records: 5, windows: 2400 },
  { records: 10, windows: 2400 },
  { records: 20, windows: 2400 },
  { records: 50, windows: 2400 },
  { records: 200, windows: 2400 },
  { records: 1000, windows: 600 },
  { records: 8000, windows: 120 },
];

function* steady(repeats: number): Generator<GeneratedStream> {
  for (const size of steadySizes)
    for (let seed = 0; seed < repeats; seed++) yield steadyStream({ ...size, seed, shift: null });
}

function* power(repeats: number): Generator<GeneratedStream> {
  for (let seed = 0; seed < repeats; seed++) {
    const shift = { fromWindow: 40 + seed, deviations: 0.5 };
    yield steadyStream({ records: 500, windows: shift.fromWindow + 12, seed, shift });
  }
}

function* seeds(
  repeats: number,
  stream: (seed: number) => GeneratedStream,
): Generator<GeneratedStream> {
  for (let seed = 0; seed < repeats; seed++) yield stream(seed);
}

function* persistence(repeats: number): Generator<GeneratedStream> {
  for (const kind of persistenceKinds)
    for (const isDoubled of [true, false])
      for (let seed = 0; seed < repeats; seed++) yield persistenceStream(kind, isDoubled, seed);
}

/** Judges the practical cases; `found` and the alarms are those that a person wants. */
function practice(name: string, windowSizeMs: number): Track {
  return {
    name,
    signals: everySignal,
    labelling: complete,
    repeats: 2,
    *streams(repeats) {
      for (const practiceCase of practiceCases)
        for (let seed = 0; seed < repeats; seed++)
          yield practiceStream(practiceCase, seed, windowSizeMs);
    },
    target: { found: 0.9, rightCauses: 0.85, falsePerThousandWindows: 0.5 },
  };
}

export const tracks: readonly Track[] = [
  {
    name: 'protocol',
    signals: everySignal,
    labelling: complete,
    repeats: 10,
    streams: protocol,
    target: { f1Abrupt: 0.95, f1Gradual: 0.84, falsePerThousandRows: 0.03 },
  },
  {
    name: 'features-only',
    signals: ['features'],
    labelling: complete,
    repeats: 10,
    streams: protocol,
    target: { f1Abrupt: 0.64, f1Gradual: 0.53 },
  },
  {
    name: 'error-only',
    signals: ['error'],
    labelling: complete,
    repeats: 10,
    streams: protocol,
    target: { f1Abrupt: 0.46, f1Gradual: 0.36 },
  },
  {
    name: 'labels-late',
    signals: everySignal,
    labelling: { delayMs: 1_000_000, rate: 1 },
    repeats: 5,
    streams: protocol,
    target: { f1Abrupt: 0.9, f1Gradual: 0.72 },
  },
  {
    name: 'labels-few',
    signals: everySignal,
    labelling: { delayMs: 0, rate: 0.1 },
    repeats: 10,
    streams: protocol,
    target: { f1Abrupt: 0.9, f1Gradual: 0.72 },
  },
  {
    name: 'concepts',
    signals: everySignal,
    labelling: complete,
    repeats: 5,
    streams: concepts,
    target: { f1Abrupt: 0.85, f1Gradual: 0.55, falsePerThousandRows: 0.03 },
  },
  {
    name: 'concepts-error-only',
    signals: ['error'],
    labelling: complete,
    repeats: 5,
    streams: concepts,
    target: {},
  },
  {
    name: 'electricity-days',
    signals: everySignal,
    labelling: complete,
    repeats: 10,
    streams: repeats => ordered('Electricity', repeats),
    target: { f1Abrupt: 0.86, f1Gradual: 0.35, falsePerThousandWindows: 1 },
  },
  {
    name: 'noaa-months',
    signals: everySignal,
    labelling: complete,
    repeats: 10,
    streams: repeats => ordered('NOAA', repeats),
    target: { f1Abrupt: 0.6, f1Gradual: 0.4, falsePerThousandWindows: 2 },
  },
  {
    name: 'seasons',
    signals: everySignal,
    labelling: complete,
    repeats: 8,
    streams: seasons,
    target: { f1Abrupt: 0.6, f1Gradual: 0.45, falsePerThousandWindows: 1 },
  },
  {
    name: 'steady',
    signals: everySignal,
    labelling: complete,
    repeats: 9,
    streams: steady,
    target: { falsePerModelMonth: 1 },
  },
  {
    name: 'power',
    signals: everySignal,
    labelling: complete,
    repeats: 20,
    streams: power,
    target: { found: 1 },
  },
  {
    name: 'minutes',
    signals: everySignal,
    labelling: complete,
    repeats: 2,
    streams: repeats => seeds(repeats, minuteStream),
    target: { found: 1, falsePerThousandWindows: 1000 / 520 },
  },
  {
    name: 'dependence',
    signals: ['features'],
    labelling: complete,
    repeats: 10,
    streams: repeats => seeds(repeats, dependenceStream),
    target: { found: 1 },
  },
  {
    name: 'electricity',
    signals: everySignal,
    labelling: complete,
    repeats: 1,
    streams: () => [joinedMarketsStream()],
    target: { found: 1 },
  },
  practice('practice-hours', hourMs),
  practice('practice-days', dayMs),
  {
    name: 'persistence',
    signals: everySignal,
    labelling: complete,
    repeats: 12,
    streams: persistence,
    target: { found: 0.8, falsePerThousandWindows: 1 },
  },
];

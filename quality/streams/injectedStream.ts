import type { GeneratedStream, StreamRow } from './generatedStream.ts';
import { hoeffdingTree } from './hoeffdingTree.ts';
import { type Injection, injectDrift, type Mode, shuffled } from './injectDrift.ts';
import { logisticRegression, type Scorer } from './logisticRegression.ts';
import { type Dataset, publicDatasets } from './publicDataset.ts';
import { randomOf } from './random.ts';

/** Rows within which a drift must be found, and over which a gradual drift comes in. */
const maxDelays: Record<string, number> = { Electricity: 2500, NOAA: 1500 };
const trainedShare = 0.25;
const shuffledStartMs = Date.UTC(2026, 0, 1);
const shuffledStepMs = 1000;
export const shuffledWindowMs = 200_000;

const dayMs = 86_400_000;
/** Times of the rows of a data set, and the windows that suit them. */
interface Calendar {
  startMs: number;
  stepMs: number;
  windowSizeMs: number;
}
const calendars: Record<string, Calendar> = {
  Electricity: { startMs: Date.UTC(1996, 4, 7), stepMs: dayMs / 48, windowSizeMs: dayMs },
  // Measured from 1949 on. These dates have the same days of the year and leap years, and are late
  // enough for a producer to log them.
  NOAA: { startMs: Date.UTC(1985, 0, 1), stepMs: dayMs, windowSizeMs: 30 * dayMs },
};

const loaded = new Map<string, Dataset>();
function load(name: string): Dataset {
  const known = loaded.get(name) ?? publicDatasets[name]!();
  loaded.set(name, known);
  return known;
}

/**
 * Makes a stream of the published protocol: rows in random order, one drift, and predictions of a
 * Hoeffding tree that goes on learning.
 */
export function shuffledStream(
  name: string,
  injection: Injection,
  mode: Mode,
  repeat: number,
): GeneratedStream {
  const random = randomOf('shuffled', name, injection, mode, repeat);
  const dataset = load(name);
  const maxDelay = maxDelays[name]!;
  const { rows, onset } = injectDrift(shuffled(dataset, random), injection, mode, maxDelay, random);
  const trained = Math.floor(rows.length * trainedShare) + 1;
  return {
    name: `${name}-${injection}-${mode.toLowerCase()}-${repeat}`,
    windowSizeMs: shuffledWindowMs,
    truth: {
      dataset: name,
      type: injection,
      mode,
      starts: [onset],
      maxDelay,
      rows: rows.length,
      monitoredFrom: trained,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - shuffledStartMs) / shuffledStepMs,
    },
    *rows() {
      const tree = hoeffdingTree(dataset.columns.length, dataset.classes.length);
      for (const [index, row] of rows.entries()) {
        if (!row) continue;
        const timeMs = shuffledStartMs + index * shuffledStepMs;
        if (index >= trained)
          yield streamRow(dataset, timeMs, row.features, tree.predict(row.features), row.label);
        tree.learn(row.features, row.label);
      }
    },
  };
}

const staticModels = new Map<string, Scorer>();
/** Trains a model on the first quarter of the rows. It is never trained again. */
function staticModel(dataset: Dataset): Scorer {
  const { name, rows, labels } = dataset;
  const trained = Math.floor(rows.length * trainedShare) + 1;
  const model =
    staticModels.get(name) ?? logisticRegression(rows.slice(0, trained), labels.slice(0, trained));
  staticModels.set(name, model);
  return model;
}

/**
 * Makes a stream in the natural order of its rows, with one injected drift and predictions of a
 * static model.
 */
export function orderedStream(
  name: string,
  injection: Injection,
  mode: Mode,
  repeat: number,
): GeneratedStream {
  const random = randomOf('ordered', name, injection, mode, repeat);
  const dataset = load(name);
  const maxDelay = maxDelays[name]!;
  const { rows, onset } = injectDrift(dataset, injection, mode, maxDelay, random);
  const drift = { type: injection, mode, starts: [onset], maxDelay };
  return ordered(
    dataset,
    rows,
    drift,
    `${injection}-${mode.toLowerCase()}-${repeat}`,
    calendars[name]!,
  );
}

/** Days within which the joined markets must be noticed. */
const joiningDays = 14;

/**
 * Makes a stream of the market as it was, with the columns that the example logs: a model would not
 * get the date. One change is certain: the Victorian columns, constant before, come alive in May
 * 1997.
 */
export function joinedMarketsStream(): GeneratedStream {
  const market = load('Electricity');
  const dataset = { ...market, name: 'Electricity as it was', columns: market.columns.slice(1) };
  const rows = market.rows.map((row, index) => ({
    features: row.slice(1),
    label: market.labels[index]!,
  }));
  const price = dataset.columns.indexOf('vicprice');
  const joined = rows.findIndex(({ features }) => features[price] !== rows[0]!.features[price]);
  return ordered(
    { ...dataset, rows: rows.map(({ features }) => features) },
    rows,
    { type: 'joined markets', mode: 'ABRUPT', starts: [joined], maxDelay: joiningDays * 48 },
    'untouched',
    calendars.Electricity!,
  );
}

function ordered(
  dataset: Dataset,
  rows: readonly ({ features: readonly number[]; label: number } | null)[],
  drift: { type: string; mode: string; starts: number[]; maxDelay: number },
  suffix: string,
  { startMs, stepMs, windowSizeMs }: Calendar,
): GeneratedStream {
  const { name } = dataset;
  const trained = Math.floor(rows.length * trainedShare) + 1;
  const timeOf = (index: number) => startMs + index * stepMs;
  // Alarms count from the first complete window on.
  const monitoredFrom =
    (Math.ceil(timeOf(trained) / windowSizeMs) * windowSizeMs - startMs) / stepMs;
  return {
    name: `${name}-${suffix}`,
    windowSizeMs,
    truth: {
      dataset: name,
      ...drift,
      rows: rows.length,
      monitoredFrom,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - startMs) / stepMs,
    },
    *rows() {
      const model = staticModel(dataset);
      for (let index = monitoredFrom; index < rows.length; index++) {
        const row = rows[index];
        if (!row) continue;
        const probability = model(row.features);
        yield streamRow(
          dataset,
          timeOf(index),
          row.features,
          [1 - probability, probability],
          row.label,
        );
      }
    },
  };
}

function streamRow(
  { columns, classes }: Dataset,
  timeMs: number,
  features: readonly number[],
  probabilities: readonly number[],
  label: number,
): StreamRow {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return {
    timeMs,
    features: Object.fromEntries(columns.map((column, index) => [column, features[index]!])),
    prediction: classes[best]!,
    score: classes.length === 2 ? probabilities[1]! : null,
    label: classes[label]!,
  };
}

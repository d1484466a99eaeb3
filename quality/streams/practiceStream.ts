import type { DriftEvent } from '../../services/shared/contracts.ts';
import { dayMs, hourMs } from '../../services/shared/duration.ts';
import type { GeneratedStream, StreamRow } from './generatedStream.ts';
import { fraudLogit, fraudRate, logitOf, positiveRate } from './practiceModel.ts';
import { drawPerson, type Person, wanderingOf } from './practicePerson.ts';
import { type Random, randomOf } from './random.ts';

/** A Tuesday. */
export const practiceStartMs = Date.UTC(2026, 8, 15);
const newYearMs = Date.UTC(2026, 0, 1);
const practiceDays = 60;
/** A Sunday, and the day on which summer time ends in Europe. */
export const onsetDay = 40;
export const onsetMs = practiceStartMs + onsetDay * dayMs;
const hours = practiceDays * 24;
/** By how much the traffic of days and hours varies, as a standard deviation of its logarithm. */
const trafficNoise = 0.05;
/** Traffic of a usual weekend, as a share of that of a weekday. */
const usualWeekend = 0.7;

/** What a record holds: the inputs as they were logged, by name. */
export type Inputs = StreamRow['features'];

/** The moment of a record that comes after the onset. */
export interface Moment {
  timeMs: number;
  /** Days since the onset. */
  days: number;
}

/** How the world of a case differs from the usual one, from the first day on. */
export interface World {
  recordsPerDay: number;
  /** Traffic of a weekend, as a share of that of a weekday. */
  weekendTraffic: number;
  /** Standard deviations by which people of a weekend differ. */
  weekendShift: number;
  /** A day that is like a Sunday. */
  holiday: number | null;
  /** Whether the daily cycle follows the clocks of Central Europe, which are put back once. */
  hasSummerTime: boolean;
  /** Whether a counter and the day of the year are logged as inputs. */
  logsTime: boolean;
  /** Whether positives are as rare as frauds. */
  isFraud: boolean;
  /** Whether labels ever come. */
  hasLabels: boolean;
  /** Days from a prediction to its label. */
  labelDelayDays: number;
  /** Whether the country is logged, and declared, as a segment. */
  hasSegments: boolean;
}

/** What changes at the onset. Each part gets only records after the onset. */
export interface PracticeChange {
  /** Factor of the traffic. */
  traffic?(days: number): number;
  /** Changes the people themselves. */
  person?(person: Person, moment: Moment, random: Random): void;
  /** Whether the record is logged. */
  isLogged?(person: Person, random: Random): boolean;
  /** Returns the inputs as the model and the log get them. */
  inputs?(inputs: Inputs, moment: Moment, random: Random): Inputs;
  codeVersion?: string;
  /** Added to the logit of the score. */
  logit?: number;
  predictsNoPositives?: boolean;
  /** The model of frauds finds this share of them. */
  recall?: number;
  /** The model of frauds takes this share of all others for frauds. */
  falseAlarmRate?: number;
  /** By how much more usage raises the logit of a positive label. */
  conceptOfUsage?: number;
  /** Returns the label, which is positive or not, as it is logged. */
  label?(isPositive: boolean, isPredicted: boolean, person: Person, random: Random): boolean;
}

/** A situation that a person who runs a model meets. */
export interface PracticeCase {
  name: string;
  world?: Partial<World>;
  change?: PracticeChange;
  /** What the person wants to be told; nothing where it is absent. */
  wanted?: {
    /** Hours from the onset, 0 where it is absent, to what has to be found. */
    fromHours?: number;
    /** Hours within which it has to be found, besides the delay of labels. A window has to end, too. */
    withinHours: number;
    causes: readonly DriftEvent['cause'][];
  };
}

const usualWorld: World = {
  recordsPerDay: 3000,
  weekendTraffic: usualWeekend,
  weekendShift: 0,
  holiday: null,
  hasSummerTime: false,
  logsTime: false,
  isFraud: false,
  hasLabels: true,
  labelDelayDays: 0,
  hasSegments: false,
};

/**
 * Makes the stream of a practical case: 60 days with a daily cycle of the traffic, quieter weekends
 * and weather that remembers. A fixed model scores the records; labels follow from a concept that
 * the model knows. What the case changes, it changes on day 40. The same case and seed give the
 * same records at every window size.
 */
export function practiceStream(
  practiceCase: PracticeCase,
  seed: number,
  windowSizeMs: number,
): GeneratedStream {
  const { name, wanted } = practiceCase;
  const world = { ...usualWorld, ...practiceCase.world };
  const labelDelayMs = world.labelDelayDays * dayMs;
  const withinMs = Math.max((wanted?.withinHours ?? 0) * hourMs, windowSizeMs);
  const fromHours = wanted?.fromHours ?? 0;
  const change = wanted && {
    onsetMs: onsetMs + fromHours * hourMs,
    withinMs: withinMs + labelDelayMs,
    causes: wanted.causes,
  };
  return {
    name: `practice-${windowSizeMs === dayMs ? 'days' : 'hours'}-${name}-${seed}`,
    windowSizeMs,
    truth: {
      dataset: 'practice',
      type: name,
      mode: wanted ? 'ABRUPT' : 'NONE',
      starts: wanted ? [onsetDay * 24 + fromHours] : [],
      maxDelay: withinMs / hourMs,
      rows: hours,
      monitoredFrom: 0,
      labelDelay: 0,
      rowAt: timeMs => (timeMs - practiceStartMs) / hourMs,
    },
    expectation: { name, seed, change: change ?? null, ignored: [] },
    labelling: { delayMs: labelDelayMs, rate: world.hasLabels ? 1 : 0 },
    segments: world.hasSegments ? ['country'] : [],
    isKept: true,
    rows: () => practiceRows(practiceCase, seed),
  };
}

/** Makes the records of a case. */
export function* practiceRows(
  { name, world: differences, change = {} }: PracticeCase,
  seed: number,
): Generator<StreamRow> {
  const world = { ...usualWorld, ...differences };
  // What a change draws must not move the draws of everything else.
  const [random, ofChange] = [randomOf('practice', name, seed), randomOf('change', name, seed)];
  const weather = wanderingOf(hours, { memory: 0.98, deviation: 2 }, random);
  const machine = wanderingOf(hours, { memory: 0.9, deviation: 1 }, random);
  let ofDay = 1;
  let counter = 0;
  for (let hour = 0; hour < hours; hour++) {
    if (hour % 24 === 0) ofDay = Math.exp(trafficNoise * random.normal());
    const state = { ...hourOf(world, hour), weather: weather[hour]!, machine: machine[hour]! };
    const days = hour / 24 - onsetDay;
    const usual = state.traffic * ofDay * Math.exp(trafficNoise * random.normal());
    const records = random.poisson(usual * (days >= 0 ? (change.traffic?.(days) ?? 1) : 1));
    for (let record = 0; record < records; record++) {
      const timeMs = practiceStartMs + Math.floor((hour + record / records) * hourMs);
      const moment = timeMs >= onsetMs ? { timeMs, days: (timeMs - onsetMs) / dayMs } : null;
      const person = drawPerson(state, random);
      if (world.isFraud) person.isFraud = random.uniform() < fraudRate;
      const draws = { model: random.uniform(), noise: random.normal(), label: random.uniform() };
      counter++;
      const row = rowOf(world, moment ? change : {}, person, draws, moment, ofChange);
      if (!row) continue;
      if (world.logsTime) Object.assign(row.features, { counter, date: dayOfYear(timeMs) });
      yield { timeMs, ...row };
    }
  }
}

function dayOfYear(timeMs: number): number {
  return Math.floor((timeMs - newYearMs) / dayMs) + 1;
}

/** Returns what the time alone says about the records of an hour. */
function hourOf(world: World, hour: number) {
  const day = Math.floor(hour / 24);
  const weekday = (day + 2) % 7;
  const isWeekend = weekday === 6 || weekday === 0 || day === world.holiday;
  // Before the clocks are put back at 1:00 UTC they show two hours more, later one.
  const ahead = hour < onsetDay * 24 + 1 ? 2 : 1;
  const ofDay = (hour + (world.hasSummerTime ? ahead : 0)) % 24;
  const cycle = Math.sin((2 * Math.PI * (ofDay - 9)) / 24);
  const weekday24 = (world.recordsPerDay * 7) / (5 + 2 * world.weekendTraffic) / 24;
  return {
    traffic: weekday24 * (1 + 0.8 * cycle) * (isWeekend ? world.weekendTraffic : 1),
    cycle,
    evening: Math.sin((2 * Math.PI * (ofDay - 14)) / 24),
    shift: isWeekend ? world.weekendShift : 0,
  };
}

/** Draws of a record that every case makes in the same order. */
interface Draws {
  model: number;
  noise: number;
  label: number;
}

/** Returns the record of a person, or null if it is not logged. */
function rowOf(
  world: World,
  change: PracticeChange,
  person: Person,
  draws: Draws,
  moment: Moment | null,
  random: Random,
): Omit<StreamRow, 'timeMs'> | null {
  if (moment) change.person?.(person, moment, random);
  if (change.isLogged && !change.isLogged(person, random)) return null;
  const { isFraud, ...truth } = person;
  const inputs: Inputs = { ...truth };
  const features = (moment && change.inputs?.(inputs, moment, random)) ?? inputs;
  const known = logitOf(features);
  const logit = world.isFraud ? fraudLogit(isFraud, known, change, draws) : known;
  const moved = logit + (change.logit ?? 0);
  const isPredicted = moved > 0 && !change.predictsNoPositives;
  const isPositive = world.isFraud
    ? isFraud
    : draws.label < positiveRate(truth, change.conceptOfUsage ?? 0);
  const label = change.label?.(isPositive, isPredicted, person, random) ?? isPositive;
  return {
    features,
    prediction: isPredicted ? 'yes' : 'no',
    score: 1 / (1 + Math.exp(-moved)),
    label: label ? 'yes' : 'no',
    codeVersion: change.codeVersion ?? '41',
    segment: world.hasSegments ? { country: person.country } : null,
  };
}

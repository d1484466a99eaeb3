import { toTenths } from './practicePerson.ts';
import type { Inputs, Moment, PracticeCase, PracticeChange } from './practiceStream.ts';
import type { Random } from './random.ts';

const soon = 3;
const halfDay = 12;
const day = 24;
const days = (count: number) => count * day;
const rampDays = 30;

/** Changes the value of one input. */
function input(name: string, changed: (value: unknown, random: Random) => Inputs[string]) {
  return {
    inputs: (inputs: Inputs, _: Moment, random: Random): Inputs => ({
      ...inputs,
      [name]: changed(inputs[name], random),
    }),
  };
}

/** Changes all inputs of the records of a country. */
function inCountry(country: string, changed: (inputs: Inputs) => Inputs): PracticeChange {
  return { inputs: inputs => (inputs.country === country ? changed(inputs) : inputs) };
}

const renamed = (from: string, to: string) =>
  input('country', value => (value === from ? to : String(value)));
const sometimesMissing = (random: Random, value: unknown) =>
  random.uniform() < 0.1 ? null : (value as number);
const flipped = (share: number): PracticeChange => ({
  label: (isPositive, _predicted, _person, random) => random.uniform() < share !== isPositive,
});
const segmentMostlyWrong: PracticeChange = {
  label: (isPositive, isPredicted, { country }, random) =>
    country === 'LU' ? random.uniform() < 0.8 !== isPredicted : isPositive,
};

const silent: readonly PracticeCase[] = [
  { name: 'control' },
  { name: 'labels-late', world: { labelDelayDays: 14 } },
  { name: 'new-code', change: { codeVersion: '42' } },
  { name: 'weekend-tenth', world: { weekendTraffic: 0.1 } },
  { name: 'weekend-tenth-mix', world: { weekendTraffic: 0.1, weekendShift: 0.4 } },
  { name: 'weekend-mix', world: { weekendTraffic: 0.4, weekendShift: 0.4 } },
  { name: 'holiday', world: { weekendTraffic: 0.4, weekendShift: 0.4, holiday: 41 } },
  { name: 'summer-time', world: { hasSummerTime: true } },
  { name: 'counter-date', world: { logsTime: true } },
  { name: 'campaign-same', change: { traffic: past => (past < 4 ? 5 : 1) } },
  { name: 'sampling', change: { traffic: () => 0.1 } },
  { name: 'outage', change: { traffic: past => (past < 2 ? 0 : 1) } },
];

const broken: readonly PracticeCase[] = [
  {
    name: 'renamed',
    change: renamed('IT', 'Italy'),
    wanted: { withinHours: soon, causes: ['data_quality'] },
  },
  {
    name: 'renamed-rare',
    change: renamed('LU', 'Luxembourg'),
    wanted: { withinHours: day, causes: ['data_quality'] },
  },
  {
    name: 'fahrenheit',
    change: input('temperature', value => toTenths(Number(value) * 1.8 + 32)),
    wanted: { withinHours: day, causes: ['data_quality'] },
  },
  {
    name: 'hundredfold',
    change: input('amount', value => Number(value) * 100),
    wanted: { withinHours: day, causes: ['data_quality'] },
  },
  {
    name: 'hundredfold-country',
    change: inCountry('ES', inputs => ({ ...inputs, amount: Number(inputs.amount) * 100 })),
    wanted: { withinHours: day, causes: ['data_quality', 'data_drift'] },
  },
  {
    name: 'dropped',
    change: { inputs: ({ usage: _, ...inputs }) => inputs },
    wanted: { withinHours: soon, causes: ['data_quality'] },
  },
  {
    name: 'text',
    change: input('amount', value => String(value)),
    wanted: { withinHours: soon, causes: ['data_quality'] },
  },
  {
    name: 'stuck',
    change: input('sensor', () => 50.3),
    wanted: { withinHours: day, causes: ['data_quality'] },
  },
  {
    name: 'missing',
    change: input('usage', (value, random) => sometimesMissing(random, value)),
    wanted: { withinHours: soon, causes: ['data_quality'] },
  },
  {
    name: 'missing-six-hours',
    change: {
      inputs: (inputs, { days: past }, random) =>
        past >= 9 / 24 && past < 15 / 24
          ? { ...inputs, usage: sometimesMissing(random, inputs.usage) }
          : inputs,
    },
    wanted: { fromHours: 9, withinHours: soon, causes: ['data_quality'] },
  },
  {
    name: 'segment-null',
    change: inCountry('LU', inputs => ({ ...inputs, amount: null, tenure: null, usage: null })),
    wanted: { withinHours: day, causes: ['data_quality'] },
  },
  {
    name: 'bots',
    change: {
      person(person, _, random) {
        if (random.uniform() < 0.05) Object.assign(person, { device: 'headless', visits: 20 });
      },
    },
    wanted: { withinHours: day, causes: ['data_quality', 'data_drift'] },
  },
];

const drifting: readonly PracticeCase[] = [
  {
    name: 'ramp',
    change: {
      person(person, { days: past }) {
        person.usage += (3 * past) / rampDays;
      },
    },
    wanted: { withinHours: days(7), causes: ['data_drift'] },
  },
  {
    name: 'inflation',
    change: {
      person(person, { days: past }) {
        person.amount = Math.round(person.amount * Math.exp((0.4 * past) / rampDays) * 100) / 100;
      },
    },
    wanted: { withinHours: days(7), causes: ['data_drift'] },
  },
  {
    name: 'campaign-others',
    change: {
      traffic: past => (past < 4 ? 5 : 1),
      person(person, { days: past }, random) {
        if (past >= 4 || random.uniform() >= 0.8) return;
        person.tenure = random.integer(3);
        person.amount = Math.round(person.amount * 67) / 100;
        if (random.uniform() < 0.6) person.device = 'mobile';
        if (random.uniform() < 0.6) person.plan = 'free';
      },
    },
    wanted: { withinHours: halfDay, causes: ['data_drift'] },
  },
  {
    name: 'mobile-lost',
    change: {
      isLogged: ({ device }, random) => device !== 'mobile' || random.uniform() >= 0.8,
    },
    wanted: { withinHours: halfDay, causes: ['data_drift'] },
  },
  {
    name: 'half-deviation',
    change: {
      person(person) {
        person.signal += 0.5;
      },
    },
    wanted: { withinHours: halfDay, causes: ['data_drift'] },
  },
  {
    name: 'warmer',
    change: {
      person(person) {
        person.temperature = toTenths(person.temperature + 4);
      },
    },
    wanted: { withinHours: days(7), causes: ['data_drift'] },
  },
  {
    name: 'segment-gone',
    change: { isLogged: ({ country }) => country !== 'LU' },
    wanted: { withinHours: day, causes: ['data_drift', 'data_quality'] },
  },
];

const outputs: readonly PracticeCase[] = [
  {
    name: 'scores-new-code',
    change: { logit: 0.5, codeVersion: '42' },
    wanted: { withinHours: day, causes: ['code_change', 'prediction_drift'] },
  },
  {
    name: 'scores',
    change: { logit: 0.5 },
    wanted: { withinHours: day, causes: ['prediction_drift'] },
  },
  {
    name: 'scores-unlabelled',
    world: { hasLabels: false },
    change: { logit: 0.5 },
    wanted: { withinHours: day, causes: ['prediction_drift'] },
  },
  {
    name: 'one-class',
    change: { predictsNoPositives: true },
    wanted: { withinHours: day, causes: ['data_quality', 'prediction_drift'] },
  },
];

const labels: readonly PracticeCase[] = [
  {
    name: 'wrong-labels',
    change: flipped(0.2),
    wanted: { withinHours: halfDay, causes: ['concept_drift'] },
  },
  {
    name: 'wrong-labels-late',
    world: { labelDelayDays: 14 },
    change: flipped(0.2),
    wanted: { withinHours: halfDay, causes: ['concept_drift'] },
  },
  {
    name: 'less-accurate',
    change: { conceptOfUsage: -0.8 },
    wanted: { withinHours: days(7), causes: ['concept_drift'] },
  },
  {
    name: 'labels-negative',
    change: { label: () => false },
    wanted: { withinHours: day, causes: ['data_quality'] },
  },
  {
    name: 'segment-wrong',
    change: segmentMostlyWrong,
    wanted: { withinHours: days(7), causes: ['concept_drift'] },
  },
  {
    name: 'segment-wrong-declared',
    world: { hasSegments: true },
    change: segmentMostlyWrong,
    wanted: { withinHours: day, causes: ['concept_drift'] },
  },
];

const frauds: readonly PracticeCase[] = [
  {
    name: 'fraud-recall-halves',
    world: { isFraud: true },
    change: { recall: 0.4 },
    wanted: { withinHours: days(4), causes: ['concept_drift', 'prediction_drift'] },
  },
  {
    name: 'fraud-recall-halves-20000',
    world: { isFraud: true, recordsPerDay: 20_000 },
    change: { recall: 0.4 },
    wanted: { withinHours: days(4), causes: ['concept_drift', 'prediction_drift'] },
  },
  {
    name: 'fraud-none-found',
    world: { isFraud: true },
    change: { predictsNoPositives: true },
    wanted: { withinHours: day, causes: ['concept_drift', 'data_quality', 'prediction_drift'] },
  },
  {
    name: 'fraud-false-alarms',
    world: { isFraud: true },
    change: { falseAlarmRate: 0.012 },
    wanted: { withinHours: day, causes: ['concept_drift', 'prediction_drift'] },
  },
];

/** The practical cases: first those in which nothing that matters changes. */
export const practiceCases: readonly PracticeCase[] = [
  ...silent,
  ...broken,
  ...drifting,
  ...outputs,
  ...labels,
  ...frauds,
];

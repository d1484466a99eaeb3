import type { Random } from './random.ts';

/** The true inputs of one record. A type, so that it can be logged as features. */
export type Person = {
  /** Log-normal. */
  amount: number;
  /** Degrees Celsius: a daily cycle of 4 and weather of 2. */
  temperature: number;
  /** Months. */
  tenure: number;
  visits: number;
  usage: number;
  /** The same at every time. */
  signal: number;
  /** Reading of a machine. */
  sensor: number;
  country: string;
  device: string;
  plan: string;
  isFraud: boolean;
};

export const meanLogAmount = 3.5;
export const deviationOfLogAmount = 0.8;

const countries = {
  DE: 0.3,
  FR: 0.2,
  IT: 0.18,
  ES: 0.1,
  NL: 0.1,
  AT: 0.06,
  BE: 0.04,
  LU: 0.02,
} as const;
const plans = { free: 0.6, basic: 0.3, pro: 0.1 } as const;
const meanTenure = 24;

/** What the records of an hour have in common. */
export interface HourState {
  /** The daily cycle, highest in the afternoon, -1 to 1. */
  cycle: number;
  /** The daily cycle that is highest in the evening. */
  evening: number;
  /** Standard deviations by which people differ from those of other days. */
  shift: number;
  weather: number;
  machine: number;
}

/** Draws the person of a record, always with the same number of draws. */
export function drawPerson(
  { cycle, evening, shift, weather, machine }: HourState,
  random: Random,
): Person {
  const logAmount = meanLogAmount + deviationOfLogAmount * (0.1 * cycle + shift + random.normal());
  return {
    amount: Math.round(Math.exp(logAmount) * 100) / 100,
    temperature: toTenths(12 + 4 * cycle + weather + random.normal()),
    tenure: Math.floor(meanTenure * random.exponential()),
    visits: countOf(random.uniform()),
    usage: 10 + 3 * (0.2 * cycle + random.normal()),
    signal: random.normal(),
    sensor: toTenths(50 + machine + random.normal()),
    country: drawn(countries, random.uniform()),
    device: deviceOf(0.2 + 0.3 * evening + shift, random.uniform()),
    plan: drawn(plans, random.uniform()),
    isFraud: false,
  };
}

/** Returns hourly values around 0 with a memory: a first-order autoregression. */
export function wanderingOf(
  length: number,
  { memory, deviation }: { memory: number; deviation: number },
  random: Random,
): number[] {
  const values = [deviation * random.normal()];
  while (values.length < length)
    values.push(memory * values.at(-1)! + deviation * Math.sqrt(1 - memory ** 2) * random.normal());
  return values;
}

export function toTenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The geometric distribution with mean 3. */
function countOf(uniform: number): number {
  return Math.floor(Math.log(1 - uniform) / Math.log(0.75));
}

function deviceOf(logitOfMobile: number, uniform: number): string {
  const mobile = 1 / (1 + Math.exp(-logitOfMobile));
  if (uniform < mobile) return 'mobile';
  return uniform < mobile + 0.8 * (1 - mobile) ? 'desktop' : 'tablet';
}

/** Returns the name into whose share a number from 0 to 1 falls. */
function drawn(shares: Readonly<Record<string, number>>, uniform: number): string {
  let rest = uniform;
  let last = '';
  for (const name in shares) {
    rest -= shares[name]!;
    last = name;
    if (rest < 0) break;
  }
  return last;
}

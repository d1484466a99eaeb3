import type { ClassLabel } from '../../services/shared/model/model.ts';
import type { Task } from '../../services/shared/task.ts';
import { type Random, randomOf } from '../streams/random.ts';

/** A record of a world: what its model sees, and what turns out to be true. */
export interface WorldRow {
  features: Record<string, number | string | null>;
  label: ClassLabel;
}

/** The scripted year of one model. Days are counted from 0, the day on which version 1 serves. */
export interface World {
  name: string;
  task: Task;
  /** As in `ModelDescription`. */
  classes: ClassLabel[];
  rowsPerDay: number;
  labelDelayDays: number;
  /** Days on which the best model is another one than on the day before. The oracle trains then. */
  changes: readonly number[];
  /** The angle in the plane of the two concepts that decides the labels of a day, in radians. */
  concept(day: number): number;
  /** Whether predictions of a day are logged. */
  isServed(day: number): boolean;
  /** Whether the labels of the predictions of a day ever come. */
  isLabelled(day: number): boolean;
  /** Changes what the producer logs on a day, and not what is true. */
  logged(day: number, row: WorldRow): WorldRow['features'];
  /**
   * Whether the loop has to win at least half of what an oracle wins; false where nothing can be
   * won.
   */
  isMended: boolean;
}

type Script = Pick<World, 'name'> & Partial<Omit<World, 'name'>>;

export const daysOfYear = 365;
/** Rows with which version 1 and the oracle are trained. */
export const rowsOfTraining = 4_000;

const regions = ['north', 'south', 'west'];
/** What a region adds to the logit or to the number. */
const effectOfRegion: Record<string, number> = { north: 0.5, south: 0, west: -0.5 };
const logitScale = 2.5;
const rareOffset = -5.5;
const numberScale = 3;
const numberOffset = 20;

const steps = [80, 170, 270];
const seasons = [90, 180, 270];
const turn = (2 / 3) * Math.PI;

/** Worlds in the order of the table. */
export const worlds: readonly World[] = [
  world({ name: 'steps', changes: steps, concept: stepsOf(steps, turn) }),
  world({
    name: 'steps-late-labels',
    labelDelayDays: 21,
    changes: steps,
    concept: stepsOf(steps, turn),
  }),
  world({
    name: 'steps-rare-class',
    rowsPerDay: 600,
    changes: steps,
    concept: stepsOf(steps, turn),
  }),
  world({
    name: 'steps-regression',
    task: 'regression',
    classes: [],
    changes: steps,
    concept: stepsOf(steps, turn),
  }),
  world({
    name: 'ramp',
    changes: Array.from({ length: 8 }, (_, tenth) => 100 + 10 * (tenth + 1)),
    concept: day => turn * Math.max(0, Math.min(1, (day - 100) / 80)),
  }),
  world({
    name: 'season',
    changes: seasons,
    concept: day => turn * (seasons.filter(start => day >= start).length % 2),
  }),
  world({
    name: 'outages',
    changes: [200],
    concept: stepsOf([200], turn),
    isServed: day => !(day >= 60 && day < 63) && !(day >= 230 && day < 233),
    isLabelled: day => !(day >= 195 && day < 206),
    logged: (day, { features }) =>
      day >= 120 && day < 127 ? { ...features, first: null } : features,
  }),
  world({ name: 'bad-trainer', changes: [80], concept: stepsOf([80], turn), isMended: false }),
  world({ name: 'steady', isMended: false }),
];

function world(script: Script): World {
  return {
    task: 'binary',
    classes: ['no', 'yes'],
    rowsPerDay: 200,
    labelDelayDays: 1,
    changes: [],
    concept: () => 0,
    isServed: () => true,
    isLabelled: () => true,
    logged: (_, { features }) => features,
    isMended: true,
    ...script,
  };
}

function stepsOf(days: readonly number[], angle: number): (day: number) => number {
  return day => angle * days.filter(start => day >= start).length;
}

/**
 * Draws the rows of a day. Inputs differ a little on weekends, and traffic falls to 70 %.
 * @param rows number of rows; those of the day if it is not given
 */
export function rowsOfDay(from: World, day: number, rows?: number, draw = 'served'): WorldRow[] {
  const random = randomOf('loop', from.name, draw, day);
  const isWeekend = ((day % 7) + 7) % 7 >= 5;
  const count = rows ?? Math.round(from.rowsPerDay * (isWeekend ? 0.7 : 1));
  return Array.from({ length: count }, () => rowOf(from, day, isWeekend, random));
}

function rowOf(from: World, day: number, isWeekend: boolean, random: Random): WorldRow {
  const first = random.normal() + (isWeekend ? 0.2 : 0);
  const second = random.normal();
  const third = Math.exp(random.normal());
  const region = regions[random.integer(regions.length)]!;
  const angle = from.concept(day);
  const direction = first * Math.cos(angle) + second * Math.sin(angle);
  const strength = direction + 0.3 * Math.log(third) + effectOfRegion[region]!;
  const features = { first, second, third, region };
  if (from.task === 'regression') {
    return { features, label: numberOffset + numberScale * strength + random.normal() };
  }
  const isRare = from.name.endsWith('rare-class');
  const logit = logitScale * strength + (isRare ? rareOffset : 0);
  const isPositive = random.uniform() < 1 / (1 + Math.exp(-logit));
  return { features, label: from.classes[isPositive ? 1 : 0]! };
}

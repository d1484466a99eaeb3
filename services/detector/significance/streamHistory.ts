import { isPairKey } from '../blocks/featurePairs.ts';
import type { Cycle } from '../reference/calendar.ts';
import { largestScale, scales } from '../reference/comparison.ts';
import type { Measured } from './bestTest.ts';
import type { FamilyName } from './family.ts';
import {
  type Measurement,
  noHistory,
  type StatisticHistory,
  withMeasurement,
} from './statisticHistory.ts';
import { noTail, type TailHistory, withLogPValue } from './tailHistory.ts';

/** What a test is about: `variableKey` of a feature or output, or its trend, or a pair of features, or the labels, or the errors. */
export type TestKey = string;
export const labelsKey: TestKey = 'labels';
export const errorKey: TestKey = 'error';

const trendPrefix = 'trend/';

/** Of the test whether the numbers of a variable went up or down. */
export function trendKey(variable: TestKey): TestKey {
  return trendPrefix + variable;
}

/** What was measured of one block at one scale. */
export interface MeasuredScale {
  scale: number;
  tests: ReadonlyMap<TestKey, Measured>;
  /** Of each family: its most significant p-value, corrected for their number. */
  logPValues: ReadonlyMap<FamilyName, number>;
}

/** How a stream's statistics vary. It outlives the regimes: a new reference does not change the way of the stream. */
export interface StreamHistory {
  statistics: ReadonlyMap<TestKey, readonly StatisticHistory[]>;
  /** The same of what was measured against the calendar. */
  cyclic: ReadonlyMap<TestKey, ReadonlyMap<Cycle, readonly StatisticHistory[]>>;
  tails: ReadonlyMap<FamilyName, readonly TailHistory[]>;
  /** The last blocks: should one of the next alarm, they may belong to what changed. Oldest first. */
  pending: readonly (readonly MeasuredScale[])[];
}

export const emptyStreamHistory: StreamHistory = {
  statistics: new Map(),
  cyclic: new Map(),
  tails: new Map(),
  pending: [],
};

/** What the features say of the stream counts for the rest of it, up to these odds. */
const mostFromOtherFeatures = 12;
const mostForTruth = 12;
const mostForOutputs = 4;
/** Labels and errors of a missed drift look like more than noise; features that stay what they were speak against that. */
const leastOfTruth = -6;

/** The stream with one more block in which nothing alarmed. */
export function withQuietBlock(
  history: StreamHistory,
  measured: readonly MeasuredScale[],
): StreamHistory {
  const pending = [...history.pending, measured];
  if (pending.length <= largestScale) return { ...history, pending };
  return { ...learned(history, pending[0]!, () => true), pending: pending.slice(1) };
}

/**
 * The stream after an alarm. Where it is sampling noise between changes, the last blocks belong to a change and say nothing of
 * how it varies. Where it is not, they do: repeated alarms are the stream's own way.
 */
export function withAlarm(
  history: StreamHistory,
  measured: readonly MeasuredScale[],
): StreamHistory {
  const weight = noiseWeight(history);
  const isOrdered = (key: TestKey) => weight(key) < 0.5;
  const next = [...history.pending, measured].reduce(
    (known, block) => learned(known, block, isOrdered),
    history,
  );
  return { ...next, pending: [] };
}

/** The stream with blocks of its reference, each compared with all the others. */
export function withReference(
  history: StreamHistory,
  measured: readonly MeasuredScale[],
): StreamHistory {
  // Its p-values were found before anything was known: no tail of what the stream reaches by chance.
  const tailless = measured.map(block => ({ ...block, logPValues: new Map<FamilyName, number>() }));
  return learned(history, tailless, () => true);
}

function learned(
  history: StreamHistory,
  measured: readonly MeasuredScale[],
  concerns: (key: TestKey) => boolean,
): StreamHistory {
  const statistics = new Map(history.statistics);
  const cyclic = new Map(history.cyclic);
  const tails = new Map(history.tails);
  for (const { scale, tests, logPValues } of measured) {
    const index = scales.indexOf(scale as (typeof scales)[number]);
    const learn = (
      known: readonly StatisticHistory[] = scales.map(() => noHistory),
      measurement: Measurement,
    ) => known.with(index, withMeasurement(known[index]!, measurement, scale));
    for (const [key, { plain, cyclic: measuredCycles }] of tests) {
      if (!concerns(key)) continue;
      if (plain.degreesOfFreedom > 0) statistics.set(key, learn(statistics.get(key), plain));
      for (const [cycle, measurement] of measuredCycles) {
        const known = cyclic.get(key);
        cyclic.set(key, new Map(known).set(cycle, learn(known?.get(cycle), measurement)));
      }
    }
    if (![...tests.keys()].some(concerns)) continue;
    for (const [family, logPValue] of logPValues) {
      const known = tails.get(family) ?? scales.map(() => noTail);
      tails.set(family, known.with(index, withLogPValue(known[index]!, logPValue)));
    }
  }
  return { ...history, statistics, cyclic, tails };
}

/** How sure it is of a test that its statistic varies as sampling noise does, between changes; sure, until something is known. */
export type NoiseWeight = (key: TestKey) => number;

export function noiseWeight({ statistics }: StreamHistory): NoiseWeight {
  let features = 0;
  let featureCount = 0;
  for (const [key, history] of statistics) {
    if (!isFeature(key)) continue;
    features += ownLogOdds(history);
    featureCount += 1;
  }
  return key => {
    if (statistics.size === 0) return 1;
    return probability(logOddsOf(key, statistics.get(key) ?? [], features, featureCount));
  };
}

function isFeature(key: TestKey): boolean {
  return key.startsWith('feature/');
}

/** Of sampling noise, by what the test itself has shown at all scales. */
export function ownLogOdds(history: readonly StatisticHistory[]): number {
  return history.reduce((total, { noiseLogOdds }) => total + noiseLogOdds, 0);
}

function logOddsOf(
  key: TestKey,
  history: readonly StatisticHistory[],
  features: number,
  featureCount: number,
): number {
  const own = ownLogOdds(history);
  if (isFeature(key)) return own + Math.min(mostFromOtherFeatures, features - own);
  if (isPairKey(key) || key.startsWith(trendPrefix))
    return own + Math.min(mostFromOtherFeatures, features);
  const worst = Math.min(
    0,
    ...history.map(({ noiseLogOdds }, index) => noiseLogOdds * scales[index]!),
  );
  if (featureCount === 0) return own + (key === labelsKey ? 0 : worst);
  if (key === labelsKey || key === errorKey)
    return Math.max(leastOfTruth, own) + Math.min(mostForTruth, features);
  // A model that keeps learning changes its outputs without any drift.
  return own + worst + Math.min(mostForOutputs, features);
}

function probability(logOdds: number): number {
  return 1 / (1 + Math.exp(-Math.max(-30, Math.min(30, logOdds))));
}

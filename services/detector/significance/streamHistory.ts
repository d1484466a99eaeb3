import { chiSquaredSurvival } from '../../shared/statistics/chiSquaredSurvival.ts';
import { isPairKey } from '../blocks/featurePairs.ts';
import type { Cycle } from '../reference/calendar.ts';
import { maxScale, scaleIndex, scales } from '../reference/comparison.ts';
import type { FamilyName } from './family.ts';
import { isOrdered } from './nullModel.ts';
import {
  type Measurement,
  noHistory,
  type StatisticHistory,
  withMeasurement,
} from './statisticHistory.ts';
import { noTail, type TailHistory, withLogPValue } from './tailHistory.ts';
import type { Measured } from './testBestReference.ts';

/**
 * The subject of a test: the `variableKey` of a feature or output, the trend of one, a mean vector,
 * a pair of features, the outputs given the inputs, the labels, the errors, or a rate of one class.
 */
export type TestKey = string;
export const labelsKey: TestKey = 'labels';
export const errorKey: TestKey = 'error';

const trendPrefix = 'trend/';

/**
 * Returns the key of the test of whether the numbers of a variable went up or down.
 *
 * @example trendKey('feature/x') // 'trend/feature/x'
 */
export function trendKey(variable: TestKey): TestKey {
  return trendPrefix + variable;
}

const classPrefix = 'class/';

/**
 * Returns the key of the test of a rate of one class.
 *
 * @example classKey('recall', 'yes') // 'class/recall/yes'
 */
export function classKey(rate: string, name: string): TestKey {
  return `${classPrefix}${rate}/${name}`;
}

/** The key of the test of the outputs given the inputs. */
export const modelKey: TestKey = 'model';

const vectorPrefix = 'vector/';

/** Returns the key of the test of the direction of a mean vector. */
export function meanKey(variable: TestKey): TestKey {
  return `${vectorPrefix}direction/${variable}`;
}

/** Returns the key of the test of the length of a mean vector. */
export function lengthKey(variable: TestKey): TestKey {
  return `${vectorPrefix}length/${variable}`;
}

/** The measurements of one block at one scale. */
export interface MeasuredScale {
  scale: number;
  tests: ReadonlyMap<TestKey, Measured>;
  /** For each family, the logarithm of its most significant p-value, corrected for their number. */
  logPValues: ReadonlyMap<FamilyName, number>;
}

/**
 * The past variation of the statistics of a stream. It outlives the regimes, because a new
 * reference does not change how the stream varies. It is plain data, so that checkpoints can store
 * it, and its size does not depend on the length of the stream. Never changed once made.
 */
export interface StreamHistory {
  /**
   * For each test against the plain reference, its history at each scale, in the order of `scales`.
   */
  statistics: ReadonlyMap<TestKey, readonly StatisticHistory[]>;
  /** The same for each test against the references of the calendar. */
  cyclic: ReadonlyMap<TestKey, ReadonlyMap<Cycle, readonly StatisticHistory[]>>;
  /** For each family, the tail of its p-values at each scale. */
  tails: ReadonlyMap<FamilyName, readonly TailHistory[]>;
  /**
   * The last blocks, at most eight, oldest first. They are not learned from yet, because they
   * belong to a change if one of the next blocks alarms.
   */
  pending: readonly (readonly MeasuredScale[])[];
  /**
   * What the features of the same stream have shown, where these are judged apart; null where the
   * statistics hold them.
   */
  features: FeatureOdds | null;
}

/** What all features of a stream together have shown of it. */
export interface FeatureOdds {
  /** The sum of their log-odds for sampling noise. */
  logOdds: number;
  count: number;
}

/** The history of a stream without blocks. */
export const emptyStreamHistory: StreamHistory = {
  statistics: new Map(),
  cyclic: new Map(),
  tails: new Map(),
  pending: [],
  features: null,
};

/**
 * The log-odds of all other features count for one feature, for trends and for pairs, up to this.
 */
const maxFromFeatures = 12;
/**
 * They count down to this: a variable that varies by sampling noise alone shows it within some
 * twenty blocks, whatever the others do.
 */
const minFromFeatures = -6;
/** The log-odds of the features count for labels and errors up to this. */
const maxForTruth = 12;
/** The log-odds of the features count for outputs up to this. */
const maxForOutputs = 4;
/**
 * The log-odds of labels and errors themselves count down to this. A drift that was missed makes
 * them vary, too, and steady features speak against an ordered stream.
 */
const minForTruth = -6;
/**
 * The log-odds of a test of a mean vector itself count up to this, because it notices small
 * movements late.
 */
const maxForVectors = 7;
/** A test stands out in a block below this p-value. */
const maxPValueOfChange = 1e-4;
/** An alarm lowers the odds for sampling noise of the tests that stand out in it by this. */
const oddsOfAlarm = 6;
/** Log-odds beyond this are certainty: exp(30) is 10^13. */
const maxLogOdds = 30;

/**
 * Returns a stream with one more block in which nothing alarmed. It learns from the block that is
 * now followed by eight quiet ones. O(tests).
 */
export function withQuietBlock(
  stream: StreamHistory,
  measured: readonly MeasuredScale[],
): StreamHistory {
  const pending = [...stream.pending, measured];
  if (pending.length <= maxScale) return { ...stream, pending };
  return { ...learned(stream, pending[0]!, () => true), pending: pending.slice(1) };
}

/**
 * Returns a stream after a block that alarmed. Where the stream is sampling noise between changes,
 * the last blocks belong to a change and are dropped, because they say nothing about how the stream
 * varies. Where it is ordered, repeated alarms are normal variation, so it learns from these
 * blocks. A test that stands out in block after block of alarms is not sampling noise between them,
 * so each alarm counts in the odds of the tests that stand out in it. O(tests).
 */
export function withAlarm(
  stream: StreamHistory,
  measured: readonly MeasuredScale[],
): StreamHistory {
  const weight = noiseWeight(stream);
  const next = [...stream.pending, measured].reduce(
    (known, block) => learned(known, block, key => isOrdered(weight(key))),
    stream,
  );
  return { ...next, statistics: withChange(next.statistics, measured), pending: [] };
}

/** Lowers the odds for sampling noise of the tests that stand out in a block. */
function withChange(
  statistics: StreamHistory['statistics'],
  measured: readonly MeasuredScale[],
): StreamHistory['statistics'] {
  const changed = new Map(statistics);
  for (const { tests } of measured) {
    for (const [key, { plain }] of tests) {
      const known = statistics.get(key);
      if (!known || !isFeature(key) || !standsOut(plain)) continue;
      const [smallest, ...larger] = known;
      const noiseLogOdds = smallest!.noiseLogOdds - oddsOfAlarm;
      changed.set(key, [{ ...smallest!, noiseLogOdds }, ...larger]);
    }
  }
  return changed;
}

function standsOut({ statistic, degreesOfFreedom, fell }: Measurement): boolean {
  return (
    !fell &&
    degreesOfFreedom > 0 &&
    chiSquaredSurvival(statistic, degreesOfFreedom) < maxPValueOfChange
  );
}

/**
 * Returns a stream that has learned from the blocks of a reference, each compared with all the
 * others. O(blocks · tests).
 */
export function withReference(
  stream: StreamHistory,
  measured: readonly MeasuredScale[],
): StreamHistory {
  // Without p-values: no null model existed when those of the reference were computed.
  const tailless = measured.map(block => ({ ...block, logPValues: new Map<FamilyName, number>() }));
  return learned(stream, tailless, () => true);
}

/**
 * Learns from one block the tests that are `learnable`, and the tails if any test of the scale is.
 */
function learned(
  stream: StreamHistory,
  measured: readonly MeasuredScale[],
  learnable: (key: TestKey) => boolean,
): StreamHistory {
  const statistics = new Map(stream.statistics);
  const cyclic = new Map(stream.cyclic);
  const tails = new Map(stream.tails);
  for (const { scale, tests, logPValues } of measured) {
    const index = scaleIndex(scale);
    const learn = (
      known: readonly StatisticHistory[] = scales.map(() => noHistory),
      measurement: Measurement,
    ) => known.with(index, withMeasurement(known[index]!, measurement, scale));
    for (const [key, { plain, cyclic: measuredCycles }] of tests) {
      if (!learnable(key)) continue;
      if (plain.degreesOfFreedom > 0) statistics.set(key, learn(statistics.get(key), plain));
      for (const [cycle, measurement] of measuredCycles) {
        const known = cyclic.get(key);
        cyclic.set(key, new Map(known).set(cycle, learn(known?.get(cycle), measurement)));
      }
    }
    if (![...tests.keys()].some(learnable)) continue;
    for (const [family, logPValue] of logPValues) {
      const known = tails.get(family) ?? scales.map(() => noTail);
      tails.set(family, known.with(index, withLogPValue(known[index]!, logPValue)));
    }
  }
  return { ...stream, statistics, cyclic, tails };
}

/**
 * Returns the probability that the statistic of a test varies by nothing but sampling noise between
 * changes.
 */
export type NoiseWeight = (key: TestKey) => number;

/**
 * Returns the noise weights of a stream; 1 for every test as long as nothing is known. O(tests),
 * then O(1) for each test.
 *
 * A test is judged by its own history (`ownLogOdds`) and, up to a limit, by the features, because
 * what makes records alike makes all features alike.
 *
 * @example noiseWeight(emptyStreamHistory)('feature/x') // 1
 */
export function noiseWeight(stream: StreamHistory): NoiseWeight {
  const { statistics } = stream;
  const { logOdds: features, count: featureCount } = featureOdds(stream);
  return key => {
    if (statistics.size + featureCount === 0) return 1;
    if (key.startsWith(vectorPrefix))
      return probability(logOddsOfVectors(key, statistics, features));
    return probability(logOddsOf(key, statistics.get(key) ?? [], features, featureCount));
  };
}

/** Returns what the features of a stream have shown. O(tests). */
export function featureOdds({ statistics, features }: StreamHistory): FeatureOdds {
  if (features) return features;
  let logOdds = 0;
  let count = 0;
  for (const [key, history] of statistics) {
    if (!isFeature(key)) continue;
    logOdds += ownLogOdds(history);
    count += 1;
  }
  return { logOdds, count };
}

function isFeature(key: TestKey): boolean {
  return key.startsWith('feature/');
}

/**
 * Returns the log-odds for sampling noise that a test has shown itself, summed over its scales; 0
 * if it was never measured.
 *
 * @param byScale its history at each scale
 * @example ownLogOdds([]) // 0
 */
export function ownLogOdds(byScale: readonly StatisticHistory[]): number {
  return byScale.reduce((total, { noiseLogOdds }) => total + noiseLogOdds, 0);
}

/** @param features the log-odds of all features together */
function logOddsOf(
  key: TestKey,
  byScale: readonly StatisticHistory[],
  features: number,
  featureCount: number,
): number {
  const own = ownLogOdds(byScale);
  if (isFeature(key)) return own + within(features - own, minFromFeatures, maxFromFeatures);
  if (isPairKey(key) || key.startsWith(trendPrefix))
    return own + Math.min(maxFromFeatures, features);
  const worst = Math.min(
    0,
    ...byScale.map(({ noiseLogOdds }, index) => noiseLogOdds * scales[index]!),
  );
  if (featureCount === 0) return own + (key === labelsKey ? 0 : worst);
  if (key.startsWith(classPrefix))
    return own + worst + within(features, minFromFeatures, maxForOutputs);
  if (key === labelsKey || key === errorKey)
    return Math.max(minForTruth, own) + Math.min(maxForTruth, features);
  // A model that keeps learning changes its outputs without any drift.
  return own + worst + Math.min(maxForOutputs, features);
}

function within(value: number, minimum: number, maximum: number): number {
  return Math.max(minimum, Math.min(maximum, value));
}

/**
 * Returns the log-odds of a test of a mean vector. What makes its direction wander makes its length
 * wander, too, and mostly only one of the two shows it early. Whether the other one, or another
 * feature, is sampling noise says nothing: topics may wander alone, and along one axis.
 */
function logOddsOfVectors(
  key: TestKey,
  statistics: StreamHistory['statistics'],
  features: number,
): number {
  const variable = key.slice(key.indexOf('/', vectorPrefix.length) + 1);
  const otherKey = key === meanKey(variable) ? lengthKey(variable) : meanKey(variable);
  const [own, other] = [key, otherKey].map(one => ownLogOdds(statistics.get(one) ?? []));
  return Math.min(maxForVectors, own!) + Math.min(0, other!) + Math.min(0, features);
}

function probability(logOdds: number): number {
  return 1 / (1 + Math.exp(-Math.max(-maxLogOdds, Math.min(maxLogOdds, logOdds))));
}

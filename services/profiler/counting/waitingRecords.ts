import type { FeatureProfile, FeatureValue } from '../../shared/profile/featureProfile.ts';
import type { LoggedPrediction } from '../../shared/profile/features.ts';
import { countBatch, emptyRecordBatch, setValue } from '../../shared/profile/recordBatch.ts';
import {
  type ProfileKind,
  profileOfName,
  type SegmentProfiles,
  type WaitingRecords,
} from './segmentProfiles.ts';
import type { Tally } from './tally.ts';

/*
 * Counting record by record would bring every profile of a window into the processor's caches once
 * per record. So records wait, and are counted a few at a time, column by column. The result is the
 * same as if each record had been counted at once.
 */

/**
 * Maximum records that wait in one segment. Enough to spread the cost of loading a profile into the
 * processor's caches, few enough to take less memory than the profiles do.
 */
const maxWaitingRecords = 16;

/** What is counted of a prediction beside its features, if the prediction has it. */
const outputs: {
  kind: ProfileKind;
  name: string;
  valueIn(prediction: LoggedPrediction): FeatureValue;
}[] = [
  { kind: 'output', name: 'prediction', valueIn: ({ prediction }) => prediction },
  { kind: 'output', name: 'score', valueIn: ({ score }) => score },
  { kind: 'operation', name: 'latencyMs', valueIn: ({ latencyMs }) => latencyMs },
  { kind: 'operation', name: 'codeVersion', valueIn: ({ codeVersion }) => codeVersion },
];

/** Adds a prediction to the waiting records of a segment. `countWaiting` counts it. */
export function addToProfiles(
  profiles: SegmentProfiles,
  prediction: LoggedPrediction,
  tally: Tally,
): void {
  const { names, values } = prediction.features;
  const { batch, foldedNames } = roomForOne(profiles, names, tally);
  for (let column = 0; column < names.length; column++)
    setValue(batch, column, values[column] ?? null);
  for (let index = 0; index < outputs.length; index++) {
    const { kind, name, valueIn } = outputs[index]!;
    const column = names.length + index;
    const value = valueIn(prediction) ?? undefined;
    if (value !== undefined) batch.profiles[column] ??= profileOfName(profiles[kind], name, tally);
    if (batch.profiles[column] !== null) setValue(batch, column, value);
  }
  batch.ids[batch.rows] = prediction.id;
  batch.rows++;
  tally.foldedNames += foldedNames;
}

/** Counts the waiting records of a segment in its profiles. Afterwards none waits. */
export function countWaiting(profiles: SegmentProfiles): void {
  if (profiles.waiting !== null) countBatch(profiles.waiting.batch);
  profiles.waiting = null;
}

/**
 * Returns waiting records with room for one more that has these names. Only from the second record
 * on do records with the same names wait for others, because names may change with every record.
 */
function roomForOne(
  profiles: SegmentProfiles,
  names: readonly string[],
  tally: Tally,
): WaitingRecords {
  const { waiting } = profiles;
  if (waiting === null || waiting.names !== names) {
    countWaiting(profiles);
    profiles.waiting = noneWaiting(profiles.feature, names, tally);
    return profiles.waiting;
  }
  const { batch, foldedNames } = waiting;
  if (batch.rows < batch.mostRows) return waiting;
  countBatch(batch);
  // Columns that share a profile must add to its sum in the order of the records. Such records do
  // not wait for others.
  if (batch.mostRows === 1 && foldedNames === 0)
    waiting.batch = emptyRecordBatch(batch.profiles, maxWaitingRecords);
  return waiting;
}

function noneWaiting(
  profiles: Map<string, FeatureProfile>,
  names: readonly string[],
  tally: Tally,
): WaitingRecords {
  const ofFeatures = names.map(name => profileOfName(profiles, name, tally));
  const foldedNames = names.filter(name => !profiles.has(name)).length;
  const columns = [...ofFeatures, ...outputs.map(() => null)];
  return { names, foldedNames, batch: emptyRecordBatch(columns, 1) };
}

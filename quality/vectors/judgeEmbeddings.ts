import {
  observationOfProfiles,
  type WindowObservation,
} from '../../services/detector/blocks/windowObservation.ts';
import type { ModelSettings } from '../../services/shared/config/settings.ts';
import { addValue, emptyFeatureProfile } from '../../services/shared/profile/featureProfile.ts';
import { judgeStream } from '../judge/judgeStream.ts';
import { type Random, randomOf } from '../streams/random.ts';
import { type Change, changes, type Draw, type Embeddings } from './embeddings.ts';
import { type PeerRules, peerRules } from './peerRules.ts';

const windowSizeMs = 3_600_000;
/** First windows, which are the reference of all rules. */
const referenceWindows = 10;
/** Windows without change before each change. */
const quietWindows = 20;
/** Further windows of the stream in which nothing changes. */
const furtherWindows = 80;
/** Windows without change that the classifier sees, because it takes long. */
const classifiedWindows = 10;
export const changedWindows = 5;

/** Whether a rule speaks, for windows in their order. */
export interface Spoken {
  driftloop: boolean[];
  distance: boolean[];
  /** Of the first windows after the reference only. */
  classifier: boolean[];
}

/** What the rules say about streams with the same reference. */
export interface JudgedEmbeddings {
  /** For all windows after the reference while nothing changes. */
  unchanged: Spoken;
  /** For the windows after a change. */
  changed: Record<Change, Spoken>;
}

type Vectors = readonly (readonly number[])[];

/**
 * Judges windows of vectors by the detector and by the default rules of Evidently. The streams have
 * their first 30 windows in common; then something changes for five windows, or nothing for 80.
 */
export function judgeEmbeddings(
  { unchanged, changed }: Embeddings,
  records: number,
  stream: number,
  detection: ModelSettings['detection'],
): JudgedEmbeddings {
  const random = randomOf('vectors', records, stream);
  const windows = (draw: Draw, count: number, of: Random) =>
    Array.from({ length: count }, () => draw(records, of));
  const reference = windows(unchanged, referenceWindows, random);
  const quiet = windows(unchanged, quietWindows, random);
  const observed = [...reference, ...quiet].map((vectors, index) =>
    observationOf(vectors, index, random),
  );
  const rules = peerRules(reference.flat(), `classifier ${records} ${stream}`);
  const alarmsAfter = (draw: Draw, count: number, of: Random) => {
    const after = windows(draw, count, of);
    const all = [
      ...observed,
      ...after.map((vectors, index) => observationOf(vectors, observed.length + index, of)),
    ];
    return { after, alarms: alarmsOf(all, detection) };
  };
  const further = alarmsAfter(unchanged, furtherWindows, randomOf('further', records, stream));
  return {
    unchanged: {
      driftloop: further.alarms.slice(referenceWindows),
      ...peersSay(rules, [...quiet, ...further.after], classifiedWindows),
    },
    changed: Object.fromEntries(
      changes.map(change => {
        const of = randomOf(change, records, stream);
        const { after, alarms } = alarmsAfter(changed[change], changedWindows, of);
        const driftloop = alarms.slice(-changedWindows);
        return [change, { driftloop, ...peersSay(rules, after, changedWindows) }];
      }),
    ) as Record<Change, Spoken>,
  };
}

function peersSay(
  { byDistance, byClassifier }: PeerRules,
  windows: readonly Vectors[],
  classified: number,
): Pick<Spoken, 'distance' | 'classifier'> {
  return {
    distance: windows.map(byDistance),
    classifier: windows.slice(0, classified).map(byClassifier),
  };
}

/** Returns for each window whether an alarm was raised when it ended. */
function alarmsOf(windows: WindowObservation[], detection: ModelSettings['detection']): boolean[] {
  const stream = {
    model: 'm',
    version: '1',
    windowSizeMs,
    windows,
    labelRevisions: [],
    segments: new Map(),
  };
  const raised = new Set(judgeStream(stream, detection).map(({ raisedAtMs }) => raisedAtMs));
  return windows.map(({ endMs }) => raised.has(endMs));
}

/** Returns what the detector sees of a window: the vectors, and a prediction that says nothing. */
function observationOf(vectors: Vectors, window: number, random: Random): WindowObservation {
  const text = emptyFeatureProfile();
  const prediction = emptyFeatureProfile();
  for (const [record, vector] of vectors.entries()) {
    addValue(text, vector, `${window}/${record}`);
    addValue(prediction, random.uniform() < 0.5 ? 'yes' : 'no');
  }
  return observationOfProfiles(
    { startMs: window * windowSizeMs, endMs: (window + 1) * windowSizeMs },
    [
      { kind: 'feature', name: 'text', profile: text },
      { kind: 'output', name: 'prediction', profile: prediction },
    ],
    null,
    null,
  );
}

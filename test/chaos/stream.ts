import {
  type Feedback,
  type Prediction,
  predictionDefaults,
  type RetrainRequest,
} from '../../services/shared/contracts.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * A record for a topic that producers or people write. A broken record carries the class of its
 * mistake in the header `broken`.
 */
export interface StreamRecord {
  topic: 'predictions' | 'feedback' | 'retrain-requests';
  key: string;
  value: Buffer | null;
  headers: Record<string, string>;
}

export interface Encoders {
  prediction(value: Prediction): Buffer;
  feedback(value: Feedback): Buffer;
  request(value: RetrainRequest): Buffer;
}

interface Version {
  model: string;
  version: string;
  startMs: number;
  /** Chunks of the stream in which the version has traffic. */
  chunks: readonly [first: number, afterLast: number];
  /**
   * Chunks at which the distribution of one feature changes. At the first one most labels are
   * reversed, and at the second one they return to normal.
   */
  driftsAt: readonly number[];
}

/** The model predicts yes above this amount. */
export const yesAboveAmount = 65;

/** Exponents that bend the distribution, by the number of drifts so far. */
const bends = [1, 1 / 3, 3];
const never = Number.POSITIVE_INFINITY;
const recordsPerHour = 80;
const recordsPerChunk = 200;
/**
 * Latest event time, independent of the length of the stream. It is in the past of every machine
 * that runs this.
 */
const endMs = Date.UTC(2026, 0, 1);
/** A training is requested once in this number of chunks. */
const chunksPerRequest = 3;

/**
 * Yields chunks of records. They depend on `random` alone, and contain
 * - three versions in the same partitions: a model of 1996 that drifts, a current one, and one that
 *   has traffic for a while only;
 * - repeated ids, soon and in the next chunk;
 * - records that are out of order, hours late or too late;
 * - feedback that is early, late, later than the grace period, repeated, corrected or for unknown
 *   ids;
 * - requests for trainings;
 * - broken records of all these kinds.
 */
export function* chunksOfStream(
  random: () => number,
  encoders: Encoders,
  chunks: number,
): Generator<StreamRecord[]> {
  const spanMs = Math.ceil((chunks * recordsPerChunk) / recordsPerHour) * hourMs;
  const startMs = endMs - spanMs;
  // Drift after the first windows, which are the reference, in a short stream as well.
  const driftsAt = [Math.ceil(0.7 * chunks), Math.ceil(0.9 * chunks)];
  const [comes, goes] = [Math.floor(chunks / 3), Math.ceil((2 * chunks) / 3)];
  const versions: Version[] = [
    { model: 'old', version: '1', startMs: Date.UTC(1996, 4, 7), chunks: [0, never], driftsAt },
    { model: 'new', version: '1', startMs, chunks: [0, never], driftsAt: [] },
    { model: 'new', version: 'hotfix', startMs, chunks: [comes, goes], driftsAt: [] },
  ];
  let repeatedLater: StreamRecord[] = [];
  for (let chunk = 0; chunk < chunks; chunk++) {
    const records: StreamRecord[] = repeatedLater;
    repeatedLater = [];
    for (const version of versions) {
      if (chunk < version.chunks[0] || chunk >= version.chunks[1]) continue;
      for (let number = 0; number < recordsPerChunk; number++) {
        const [prediction, ...others] = recordsAround(version, chunk, number, random, encoders);
        records.push(prediction!, ...others);
        const chance = random();
        if (chance < 0.07) records.push({ ...prediction! });
        else if (chance < 0.08) repeatedLater.push({ ...prediction! });
      }
    }
    records.push(...requestsIn(chunk, chunks, random, encoders));
    yield shuffledNearby(records, random);
  }
}

/** Returns a prediction, followed by its feedback and broken copies of them. */
function recordsAround(
  version: Version,
  chunk: number,
  number: number,
  random: () => number,
  encoders: Encoders,
): StreamRecord[] {
  const ordinal = (chunk - version.chunks[0]) * recordsPerChunk + number;
  const drifts = version.driftsAt.filter(driftsAt => chunk >= driftsAt).length;
  const nowMs = version.startMs + Math.floor((ordinal / recordsPerHour) * hourMs);
  // A drift bends the distribution within its range. Values outside it would be a data-quality
  // defect, and validation would refuse to train on them.
  const bent = () => random() ** bends[drifts]!;
  const amount = 50 + 10 * (bent() + bent() + bent());
  const kind = random();
  const delayMs = kind < 0.05 ? Math.floor(random() * 5 * hourMs) : kind < 0.06 ? 9 * dayMs : 0;
  const prediction: Prediction = {
    ...predictionDefaults,
    id: `${version.model}-${version.version}-${ordinal}`,
    model: version.model,
    version: version.version,
    time: nowMs - delayMs,
    features: {
      amount: Math.round(amount * 100) / 100,
      country: ['DE', 'FR', 'IT'][Math.floor(random() * 3)]!,
      gap: random() < 0.1 ? null : 1,
    },
    prediction: amount > yesAboveAmount ? 'yes' : 'no',
    score: random(),
  };
  const records = [sent('predictions', prediction.id, encoders.prediction(prediction))];
  if (random() < 0.02) records.push(brokenPrediction(prediction, encoders, random));
  if (random() < 0.7) records.push(...feedbackOn(prediction, drifts === 1, encoders, random));
  return records;
}

/**
 * Returns the training requests of a chunk. Each is sent twice, as by an impatient person, and one
 * in three is followed by a broken one.
 */
function requestsIn(
  chunk: number,
  chunks: number,
  random: () => number,
  encoders: Encoders,
): StreamRecord[] {
  if (chunk % chunksPerRequest !== chunksPerRequest - 1) return [];
  // Request a training of the drifting model only towards the end. Otherwise its drift event could
  // find that the same rows have just been used.
  const models = chunk > 0.8 * chunks ? ['new', 'old'] : ['new'];
  return models.flatMap(model => {
    const record = requestFor(model, `${model}-${chunk}`, encoders);
    const usable = [record, { ...record }];
    return random() < 1 / 3 ? [...usable, brokenRequest(model)] : usable;
  });
}

export function requestFor(
  model: string,
  id: string,
  encoders: Pick<Encoders, 'request'>,
): StreamRecord {
  const request: RetrainRequest = {
    id,
    model,
    reason: 'manual',
    requestedBy: 'chaos',
    time: endMs,
  };
  return sent('retrain-requests', model, encoders.request(request));
}

function feedbackOn(
  prediction: Prediction,
  turned: boolean,
  encoders: Encoders,
  random: () => number,
): StreamRecord[] {
  const { id, model, time } = prediction;
  const right = random() < (turned ? 0.4 : 0.9);
  const other = prediction.prediction === 'yes' ? 'no' : 'yes';
  const first: Feedback = {
    id: random() < 0.02 ? `unknown-${id}` : id,
    model: random() < 0.5 ? model : null,
    label: right ? (prediction.prediction as string) : other,
    value: random() < 0.2 ? 12.5 : null,
    time: time + (random() < 0.02 ? 9 * dayMs : 60_000),
  };
  const records = [sent('feedback', first.id, encoders.feedback(first))];
  if (random() < 0.1) records.push({ ...records[0]! });
  if (random() < 0.1) {
    const corrected = { ...first, label: other, time: first.time + Math.floor(random() * hourMs) };
    records.push(sent('feedback', corrected.id, encoders.feedback(corrected)));
  }
  if (random() < 0.02) records.push(brokenFeedback(first, encoders, random));
  return records;
}

function sent(topic: StreamRecord['topic'], key: string, value: Buffer): StreamRecord {
  return { topic, key, value, headers: {} };
}

/** Returns mistakes that a record of any contract may have, by their class. */
function mistakesOf(encoded: Buffer, json: (fields: object) => Buffer): [string, Buffer | null][] {
  return [
    ['malformed-json', Buffer.from('{"id":')],
    ['null-value', null],
    ['unknown-schema-id', Buffer.from([0, 0, 15, 66, 63, 1, 2])],
    ['malformed-avro', encoded.subarray(0, 12)],
    ['implausible-time', json({ time: 0 })],
    ['future-time', json({ time: '2100-01-01' })],
  ];
}

function brokenPrediction(
  prediction: Prediction,
  encoders: Encoders,
  random: () => number,
): StreamRecord {
  const json = (fields: object) => Buffer.from(JSON.stringify({ ...prediction, ...fields }));
  const mistakes = mistakesOf(encoders.prediction(prediction), json);
  return broken(
    'predictions',
    prediction.id,
    [...mistakes, ['invalid-field', json({ features: [] })]],
    random,
  );
}

function brokenFeedback(
  feedback: Feedback,
  encoders: Encoders,
  random: () => number,
): StreamRecord {
  const json = (fields: object) => Buffer.from(JSON.stringify({ ...feedback, ...fields }));
  const mistakes = mistakesOf(encoders.feedback(feedback), json);
  return broken(
    'feedback',
    feedback.id,
    [...mistakes, ['invalid-field', json({ label: [] })]],
    random,
  );
}

function brokenRequest(model: string): StreamRecord {
  return broken('retrain-requests', model, [['malformed-json', Buffer.from('please')]], () => 0);
}

function broken(
  topic: StreamRecord['topic'],
  key: string,
  mistakes: [string, Buffer | null][],
  random: () => number,
): StreamRecord {
  const [mistake, value] = mistakes[Math.floor(random() * mistakes.length)]!;
  return { topic, key, value, headers: { broken: mistake } };
}

/** Moves each record back by up to 40 places at random, also past records with the same key. */
function shuffledNearby(records: StreamRecord[], random: () => number): StreamRecord[] {
  const positions = records.map((record, index) => ({ record, position: index + random() * 40 }));
  return positions.sort((a, b) => a.position - b.position).map(({ record }) => record);
}

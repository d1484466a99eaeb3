import type { Feedback, Prediction } from '../../services/shared/contracts.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A record for one of the two topics of producers. Broken ones carry the class of their mistake as header `broken`. */
export interface StreamRecord {
  topic: 'predictions' | 'feedback';
  key: string;
  value: Buffer | null;
  headers: Record<string, string>;
}

export interface Encoders {
  prediction(value: Prediction): Buffer;
  feedback(value: Feedback): Buffer;
}

interface Version {
  model: string;
  version: string;
  startMs: number;
  /** Chunks of the stream in which it has traffic. */
  chunks: readonly [first: number, afterLast: number];
  /** Chunk from which one feature is shifted and the labels turn around. */
  driftsAt: number;
}

const never = Number.POSITIVE_INFINITY;
const recordsPerHour = 80;

/**
 * Endless chunks of records: three versions through the same partitions (a model of 1996 that drifts, one of this year, one that comes and goes),
 * with repeated ids, records out of order, hours late and too late, feedback that is early, late, repeated, corrected or for unknown ids,
 * and broken records. A function of `random` alone.
 */
export function* chunksOfStream(random: () => number, encoders: Encoders, chunks: number): Generator<StreamRecord[]> {
  const versions: Version[] = [
    { model: 'old', version: '1', startMs: Date.UTC(1996, 4, 7), chunks: [0, never], driftsAt: Math.ceil(chunks / 2) },
    { model: 'new', version: '1', startMs: Date.UTC(2026, 0, 1), chunks: [0, never], driftsAt: never },
    {
      model: 'new',
      version: '2',
      startMs: Date.UTC(2026, 0, 2),
      chunks: [Math.floor(chunks / 3), Math.ceil((2 * chunks) / 3)],
      driftsAt: never,
    },
  ];
  for (let chunk = 0; chunk < chunks; chunk++) {
    const records: StreamRecord[] = [];
    for (const version of versions) {
      if (chunk < version.chunks[0] || chunk >= version.chunks[1]) continue;
      for (let number = 0; number < 200; number++)
        records.push(...recordsAround(version, chunk, number, random, encoders));
    }
    yield shuffledNearby(records, random);
  }
}

function recordsAround(
  version: Version,
  chunk: number,
  number: number,
  random: () => number,
  encoders: Encoders,
): StreamRecord[] {
  const ordinal = (chunk - version.chunks[0]) * 200 + number;
  const drifted = chunk >= version.driftsAt;
  const nowMs = version.startMs + Math.floor((ordinal / recordsPerHour) * hourMs);
  const amount = 50 + (drifted ? 40 : 0) + 10 * (random() + random() + random());
  const kind = random();
  const delayMs = kind < 0.05 ? Math.floor(random() * 5 * hourMs) : kind < 0.06 ? 9 * dayMs : 0;
  const prediction: Prediction = {
    id: `${version.model}-${version.version}-${ordinal}`,
    model: version.model,
    version: version.version,
    time: nowMs - delayMs,
    features: {
      amount: Math.round(amount * 100) / 100,
      country: ['DE', 'FR', 'IT'][Math.floor(random() * 3)]!,
      gap: random() < 0.1 ? null : 1,
    },
    prediction: amount > 65 ? 'yes' : 'no',
    score: random(),
    probabilities: null,
    segment: null,
    codeVersion: null,
    latencyMs: null,
  };
  const records = [sent('predictions', prediction.id, encoders.prediction(prediction))];
  if (random() < 0.08) records.push({ ...records[0]! });
  if (random() < 0.02) records.push(broken(prediction, encoders, random));
  if (random() < 0.7) records.push(...feedbackOn(prediction, drifted, encoders, random));
  return records;
}

function feedbackOn(
  prediction: Prediction,
  drifted: boolean,
  encoders: Encoders,
  random: () => number,
): StreamRecord[] {
  const { id, model, time } = prediction;
  const right = random() < (drifted ? 0.4 : 0.9);
  const other = prediction.prediction === 'yes' ? 'no' : 'yes';
  const first: Feedback = {
    id: random() < 0.02 ? `unknown-${id}` : id,
    model: random() < 0.5 ? model : null,
    label: right ? (prediction.prediction as string) : other,
    value: random() < 0.2 ? 12.5 : null,
    time: time + 60_000,
  };
  const records = [sent('feedback', first.id, encoders.feedback(first))];
  if (random() < 0.1) records.push({ ...records[0]! });
  if (random() < 0.1) {
    const corrected = { ...first, label: other, time: first.time + Math.floor(random() * hourMs) };
    records.push(sent('feedback', corrected.id, encoders.feedback(corrected)));
  }
  return records;
}

function sent(topic: StreamRecord['topic'], key: string, value: Buffer): StreamRecord {
  return { topic, key, value, headers: {} };
}

function broken(prediction: Prediction, encoders: Encoders, random: () => number): StreamRecord {
  const encoded = encoders.prediction(prediction);
  const json = (fields: object) => Buffer.from(JSON.stringify({ ...prediction, ...fields }));
  const mistakes: [string, Buffer | null][] = [
    ['malformed-json', Buffer.from('{"id":')],
    ['null-value', null],
    ['unknown-schema-id', Buffer.from([0, 0, 15, 66, 63, 1, 2])],
    ['malformed-avro', encoded.subarray(0, 12)],
    ['invalid-field', json({ features: [] })],
    ['implausible-time', json({ time: 0 })],
    ['future-time', json({ time: '2100-01-01' })],
  ];
  const [mistake, value] = mistakes[Math.floor(random() * mistakes.length)]!;
  return { topic: 'predictions', key: prediction.id, value, headers: { broken: mistake } };
}

/** Records change places with others up to 40 behind them; those of one key, too. */
function shuffledNearby(records: StreamRecord[], random: () => number): StreamRecord[] {
  const positions = records.map((record, index) => ({ record, position: index + random() * 40 }));
  return positions.sort((a, b) => a.position - b.position).map(({ record }) => record);
}

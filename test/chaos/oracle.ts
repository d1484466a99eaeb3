import type { Feedback, Prediction } from '../../services/shared/contracts.ts';
import type { KafkaRecord } from '../../services/shared/kafka/kafka.ts';
import { type ClockSettings, PlainClock } from '../plainClock.ts';

/**
 * Computes what the tables must contain, by one plain pass over the records of the topics. It
 * shares no code with the services, and uses a different method wherever there is one. In
 * particular, it sees all records at once, while the services see a prefix.
 */

export type OracleSettings = ClockSettings;

/** Rows of a table by their key. The key is text, so that it can be compared and printed. */
export type Rows = Map<string, Record<string, unknown>>;

export type OracleTables = Record<
  | 'predictions'
  | 'window_profiles'
  | 'window_samples'
  | 'stream_progress'
  | 'feedback'
  | 'outcomes'
  | 'performance_windows'
  | 'dead_letters'
  | 'topic dead-letters',
  Rows
>;

interface Counted {
  prediction: Prediction;
  partition: number;
  offset: number;
  record: KafkaRecord;
}

/**
 * Returns the expected rows of all tables.
 * @param predictions records of the topic, those of each partition in the order of their offsets.
 *   In all topics a broken record carries the class of its mistake in the header `broken`. A batch
 *   that is not read stands as one record.
 * @param decode returns the contents of a record that is not broken
 */
export function oracle(
  predictions: readonly KafkaRecord[],
  feedback: readonly KafkaRecord[],
  requests: readonly KafkaRecord[],
  decode: { prediction(value: Buffer): Prediction; feedback(value: Buffer): Feedback },
  settings: OracleSettings,
): OracleTables {
  const tables: OracleTables = {
    predictions: new Map(),
    window_profiles: new Map(),
    window_samples: new Map(),
    stream_progress: new Map(),
    feedback: new Map(),
    outcomes: new Map(),
    performance_windows: new Map(),
    dead_letters: new Map(),
    'topic dead-letters': new Map(),
  };
  for (const record of requests) noteBroken(tables, 'retrain-requests', record);
  const counted: Counted[] = [];
  for (const [partition, records] of Map.groupBy(predictions, record => record.partition)) {
    const usable: Counted[] = [];
    for (const record of records) {
      if (!noteBroken(tables, 'predictions', record))
        usable.push({
          prediction: decode.prediction(record.value!),
          partition,
          offset: record.offset,
          record,
        });
    }
    for (const ofVersion of Map.groupBy(usable, ({ prediction: { model, version } }) =>
      key(model, version),
    ).values())
      counted.push(...countedOf(ofVersion, settings, tables));
  }
  for (const { prediction, offset, partition } of counted) {
    const { model, version, id, time, features, score } = prediction;
    const place = key(model, version, time, id);
    // After partitions were added, a repeated id may be in another partition than the first time,
    // where its profiler does not know it. The table keeps the row with the lower offset.
    if (Number(tables.predictions.get(place)?.offset) <= offset) continue;
    tables.predictions.set(place, {
      partition,
      offset,
      numbers: entriesOf(features, value => typeof value === 'number'),
      texts: entriesOf(features, value => typeof value === 'string'),
      prediction: String(prediction.prediction),
      score,
    });
  }
  addProfiles(counted, settings, tables.window_profiles);
  addSamples(counted, settings, tables.window_samples);
  addOutcomes(
    counted,
    feedback.flatMap(record =>
      noteBroken(tables, 'feedback', record)
        ? []
        : [{ ...decode.feedback(record.value!), offset: record.offset }],
    ),
    settings,
    tables,
  );
  return tables;
}

function entriesOf(features: Prediction['features'], wanted: (value: unknown) => boolean): string {
  const entries = Object.entries(features).filter(([, value]) => wanted(value));
  return entries
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(' ');
}

export function key(...parts: (string | number)[]): string {
  return parts.join(' | ');
}

/**
 * Adds a dead letter if the record is broken.
 * @returns whether the record is broken
 */
function noteBroken(tables: OracleTables, topic: string, record: KafkaRecord): boolean {
  const mistake = record.setAside?.class ?? record.headers.broken?.toString();
  if (mistake) addDeadLetter(tables, topic, record, mistake);
  return mistake !== undefined;
}

function addDeadLetter(
  tables: OracleTables,
  topic: string,
  record: KafkaRecord,
  mistake: string,
): void {
  const place = key(topic, record.partition, record.offset);
  tables.dead_letters.set(place, { class: mistake });
  tables['topic dead-letters'].set(place, deadLetterColumns(record, mistake));
}

/**
 * Returns the compared columns of a dead letter. Its key, value and header must be what the
 * producer sent, byte for byte.
 */
export function deadLetterColumns(
  { key, value, headers }: Pick<KafkaRecord, 'key' | 'value' | 'headers'>,
  mistake: string,
) {
  return {
    class: mistake,
    key: key?.toString(),
    value: value?.toString('base64') ?? null,
    header: headers.broken?.toString() ?? null,
  };
}

/**
 * Returns the records of one version in one partition that count, according to the rules of
 * lateness and of repeated ids. Adds the others to the tables, and the progress of the version.
 */
function countedOf(
  records: readonly Counted[],
  settings: OracleSettings,
  tables: OracleTables,
): Counted[] {
  const ids = new Set<string>();
  const counted: Counted[] = [];
  const counters = { predictions: 0, duplicates: 0, late: 0, too_late: 0 };
  const clock = new PlainClock(settings);
  for (const record of records) {
    const { id, time } = record.prediction;
    if (clock.isTooLate(time)) {
      counters.too_late++;
      addDeadLetter(tables, 'predictions', record.record, 'too-late');
    } else if (ids.has(id)) {
      counters.duplicates++;
    } else {
      ids.add(id);
      counters.predictions++;
      if (clock.count(time)) counters.late++;
      counted.push(record);
    }
  }
  const { partition, offset, prediction } = records.at(-1)!;
  tables.stream_progress.set(key(prediction.model, prediction.version, partition), {
    ...counters,
    max_ms: clock.timeMs,
    last_offset: offset,
  });
  return counted;
}

function addProfiles(
  counted: readonly Counted[],
  { windowSizeMs }: OracleSettings,
  rows: Rows,
): void {
  const values = new Map<string, unknown[]>();
  for (const { prediction, partition } of counted) {
    const { model, version, time, features, score } = prediction;
    const startMs = time - (time % windowSizeMs);
    const named: [string, string, unknown][] = [
      ...Object.entries(features).map(
        ([name, value]) => ['feature', name, value] as [string, string, unknown],
      ),
      ['output', 'prediction', prediction.prediction],
      ['output', 'score', score],
    ];
    for (const [kind, name, value] of named) {
      const place = key(model, version, startMs, kind, name, partition);
      if (!values.has(place)) values.set(place, []);
      values.get(place)!.push(value);
    }
  }
  for (const [place, list] of values) {
    const numbers = list.filter(value => typeof value === 'number');
    const texts = list.filter(value => typeof value === 'string').sort();
    rows.set(place, {
      count: list.length,
      missing: list.filter(value => value === null).length,
      numeric_count: numbers.length,
      minimum: numbers.length > 0 ? Math.min(...numbers) : null,
      maximum: numbers.length > 0 ? Math.max(...numbers) : null,
      sum: numbers.reduce((sum, value) => sum + value, 0),
      in_buckets: numbers.length,
      categories: [...Map.groupBy(texts, text => text)]
        .map(([text, same]) => `${text}=${same.length}`)
        .join(' '),
    });
  }
}

const sampledRecords = 64;

/**
 * Adds the samples of each window and partition: the records whose ids have the lowest hashes, with
 * their values.
 */
function addSamples(
  counted: readonly Counted[],
  { windowSizeMs }: OracleSettings,
  rows: Rows,
): void {
  const placeOf = ({ prediction: { model, version, time }, partition }: Counted) =>
    key(model, version, time - (time % windowSizeMs), partition);
  for (const [place, records] of Map.groupBy(counted, placeOf)) {
    const hashed = records.map(({ prediction: { id, features, score, prediction } }) => ({
      hash: mixed(fnv1a(id)),
      values: codes(features),
      output: code(score ?? prediction),
    }));
    hashed.sort((left, right) => Number(left.hash - right.hash));
    rows.set(place, {
      last_offset: Math.max(...records.map(({ offset }) => offset)),
      records: hashed
        .slice(0, sampledRecords)
        .map(({ hash, values, output }) => `${hash}:${values}:${output}`)
        .join(' '),
    });
  }
}

function codes(features: Prediction['features']): string {
  const known = Object.entries(features).filter(([, value]) => value !== null);
  return known
    .map(([name, value]) => `${name}=${code(value)}`)
    .sort()
    .join();
}

function code(value: unknown): string {
  return String(
    typeof value === 'number' ? highHalf(value) : BigInt.asIntN(32, fnv1a(String(value))) >> 1n,
  );
}

/**
 * Returns the high 32 bits of a float64. Those of a negative number are inverted, so that the codes
 * have the order of the numbers.
 */
function highHalf(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value + 0);
  const half = view.getInt32(0);
  return half < 0 ? -1 - (half & 0x7fffffff) : half;
}

const low32 = (value: bigint) => BigInt.asUintN(32, value);

function fnv1a(text: string): bigint {
  let hash = 2166136261n;
  for (let index = 0; index < text.length; index++)
    hash = low32((hash ^ BigInt(text.charCodeAt(index))) * 16777619n);
  return hash;
}

function mixed(hash: bigint): bigint {
  const first = low32((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  const second = low32((first ^ (first >> 13n)) * 0xc2b2ae35n);
  return second ^ (second >> 16n);
}

function addOutcomes(
  counted: readonly Counted[],
  feedback: readonly (Feedback & { offset: number })[],
  { windowSizeMs }: OracleSettings,
  tables: OracleTables,
): void {
  const latest = new Map<string, Feedback & { offset: number }>();
  for (const given of feedback) {
    const place = key(given.id, given.model ?? '');
    const known = latest.get(place);
    if (!known || wins(given, known)) latest.set(place, given);
  }
  for (const [place, { label, value, time }] of latest)
    tables.feedback.set(place, { label: String(label), value, observed_ms: time });

  const windows = new Map<string, { predictions: number; labelled: number; errors: number }>();
  for (const { prediction } of counted) {
    const { model, version, id, time } = prediction;
    const place = key(model, version, time - (time % windowSizeMs));
    const window = windows.get(place) ?? { predictions: 0, labelled: 0, errors: 0 };
    windows.set(place, window);
    window.predictions++;
    const [named, unnamed] = [latest.get(key(id, model)), latest.get(key(id, ''))];
    const truth = named && unnamed ? (wins(named, unnamed) ? named : unnamed) : (named ?? unnamed);
    const outcome = key(model, version, time, id);
    if (!truth || tables.outcomes.has(outcome)) continue;
    window.labelled++;
    if (truth.label !== prediction.prediction) window.errors++;
    tables.outcomes.set(outcome, { label: String(truth.label), observed_ms: truth.time });
  }
  for (const [place, window] of windows)
    if (window.labelled > 0) tables.performance_windows.set(place, window);
}

/**
 * Returns whether feedback replaces other feedback for the same id. The later observation wins;
 * between equal times the higher offset wins, as all feedback for an id is in one partition.
 */
function wins(
  one: { time: number; offset: number },
  other: { time: number; offset: number },
): boolean {
  return one.time > other.time || (one.time === other.time && one.offset > other.offset);
}

import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { batchLimits } from '../../services/shared/kafka/protocol/batchLimits.ts';
import type {
  KafkaHeaders,
  RecordToEncode,
} from '../../services/shared/kafka/protocol/encodeRecord.ts';
import { type BatchToEncode, encodeBatch } from '../kafkaProtocol/encodeBatch.ts';
import { type HostileSchema, hostileId, hostileSchemas } from './hostileRegistry.ts';
import type { Encoders } from './stream.ts';

export interface HostileBatch {
  topic: 'predictions' | 'feedback';
  batch: Buffer;
}

const firstTimeMs = Date.UTC(2025, 10, 1);
const minuteMs = 60_000;
const maxRecords = 12;
/** One batch in this number decompresses to more than a service reads. */
const batchesPerBomb = 6;

type Compression = Pick<BatchToEncode, 'attributes' | 'compress'>;
const codecs: readonly Compression[] = [
  { attributes: 1, compress: gzipSync },
  { attributes: 2, compress: bytes => compressSync(bytes) },
  { attributes: 3, compress: bytes => compressFrameSync(bytes) },
  { attributes: 4, compress: zstdCompressSync },
];

/**
 * Yields batches that no ordinary client would send and that Kafka accepts: null, repeated and many
 * headers, also with names of properties of Object; keys of any size; every codec; records that no
 * service can use beside good ones of a model of their own; and bombs. They depend on `random` alone.
 */
export function* hostileBatches(
  random: () => number,
  encoders: Pick<Encoders, 'prediction'>,
): Generator<HostileBatch> {
  const any = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  let sent = 0;
  for (let number = 1; ; number++) {
    if (number % batchesPerBomb === 0) {
      const bomb = { value: Buffer.alloc(batchLimits.maxBytes + 1, ' ') };
      yield { topic: 'predictions', batch: encodeBatch({ ...any(codecs), records: [bomb] }) };
      continue;
    }
    const topic = any(['predictions', 'feedback'] as const);
    const records: RecordToEncode[] = [];
    for (let left = 1 + random() * maxRecords; left > 0; left--) {
      const isGood = topic === 'predictions' && random() < 0.5;
      const headers = hostileHeaders(random);
      records.push(
        isGood
          ? { key: hostileKey(random), value: encoders.prediction(goodOne(sent++)), headers }
          : { key: hostileKey(random), ...brokenOne(random, headers) },
      );
    }
    const compression = random() < 0.5 ? any(codecs) : {};
    yield { topic, batch: encodeBatch({ ...compression, records }) };
  }
}

function goodOne(number: number): Prediction {
  return {
    ...predictionDefaults,
    id: `hostile-${number}`,
    model: 'hostile',
    version: '1',
    time: firstTimeMs + number * minuteMs,
    features: { amount: number % 50 },
    prediction: 'yes',
    score: 0.5,
  };
}

/** The header `broken` has the class of the mistake, as in the other records of the stream. */
function brokenOne(
  random: () => number,
  headers: KafkaHeaders,
): Pick<RecordToEncode, 'value' | 'headers'> {
  const unknownId = Buffer.alloc(9);
  unknownId.writeInt32BE(1_000_000 + Math.floor(random() * 1_000_000), 1);
  const ofHostileId = (kind: HostileSchema): [string, Buffer] => {
    const value = Buffer.alloc(8);
    value.writeInt32BE(hostileId(kind, random), 1);
    return [hostileSchemas[kind].class, value];
  };
  const mistakes: [string, Buffer | null][] = [
    ['malformed-json', Buffer.from('nope')],
    ['malformed-json', Buffer.from([0xff, 0xfe, 0x00])],
    ['malformed-json', Buffer.alloc(0)],
    ['null-value', null],
    ['unknown-schema-id', unknownId],
    ofHostileId('huge'),
    ofHostileId('fickle'),
    ofHostileId('late'),
  ];
  const [mistake, value] = mistakes[Math.floor(random() * mistakes.length)]!;
  headers.broken = mistake;
  return { value, headers };
}

function hostileKey(random: () => number): Buffer | string | null {
  const kind = random();
  if (kind < 0.3) return null;
  return kind < 0.9 ? `key-${Math.floor(random() * 100)}` : 'k'.repeat(200_000);
}

const names = ['toString', 'constructor', '__proto__', 'hasOwnProperty', '', 'traceparent', '1'];

function hostileHeaders(random: () => number): KafkaHeaders {
  const headers: KafkaHeaders = Object.create(null);
  for (const name of names) {
    const kind = random();
    if (kind < 0.2) headers[name] = null;
    else if (kind < 0.4) headers[name] = ['a', null, 'b'];
    else if (kind < 0.6) headers[name] = 'x';
  }
  if (random() < 0.05) for (let index = 0; index < 3_000; index++) headers[`h${index}`] = 'x';
  return headers;
}

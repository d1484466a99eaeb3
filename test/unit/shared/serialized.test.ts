import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictionDefaults } from '../../../services/shared/contracts.ts';
import type { KafkaHeaders } from '../../../services/shared/kafka/kafka.ts';
import { decodeRecord } from '../../../services/shared/records/decodeRecord.ts';
import { asWritten } from './contractArbitrary.ts';
import { type Answers, stubRegistry } from './stubRegistry.ts';

interface Fixtures {
  records: { name: string; headers: Record<string, string>; value: string }[];
  answers: Record<string, { schema: string; schemaType: string; references?: object[] }>;
}

/** Bytes of confluent-kafka's serialisers; serialized/serialize.py says how they were made. */
const { records, answers }: Fixtures = JSON.parse(
  readFileSync(new URL('serialized/serialized.json', import.meta.url), 'utf8'),
);
const bytesOf = (name: string) =>
  Buffer.from(records.find(record => record.name === name)!.value, 'hex');

const expected: Record<string, object> = {
  Avro: {
    ...predictionDefaults,
    id: '0f0e0d0c-0b0a-4908-8706-050403020100',
    model: 'CHURN',
    version: '3',
    time: Date.UTC(2026, 2, 2, 9, 30, 0, 123),
    features: {
      amount: 12.5,
      fee: -0.125,
      since: '2020-02-29',
      opened: '2026-01-01T00:00:00Z',
      orders: 7,
      visits: 2 ** 60,
      ratio: 0.5,
      income: null,
      plan: 'PRO',
      newsletter: true,
      'customer.age': 41,
    },
    prediction: 'LEAVES',
    score: 0.75,
  },
  JSON: {
    ...predictionDefaults,
    id: 'j1',
    model: 'churn',
    version: '3',
    time: Date.UTC(2026, 2, 2, 9, 30, 0, 123),
    features: { amount: 12.5, 'customer.age': 41 },
    prediction: true,
    score: null,
  },
};

async function decoded(value: Buffer, headers: KafkaHeaders, answersOfRegistry: Answers) {
  await using registry = await stubRegistry(answersOfRegistry);
  const record = { topic: '', partition: 0, offset: 0, key: null, headers, timestampMs: 0, value };
  await registry.schemas.prepare([record]);
  return decodeRecord(record, 'Prediction', registry.schemas);
}

describe("confluent-kafka's serialisers, with a stub in place of Confluent's registry", () => {
  it.each(records.filter(({ name }) => !name.startsWith('Protobuf')))(
    'are read: $name',
    async ({ name, headers, value }) => {
      const binary = Object.entries(headers).map(([key, hex]) => [key, Buffer.from(hex, 'hex')]);
      const { value: prediction, rejection } = await decoded(
        Buffer.from(value, 'hex'),
        Object.fromEntries(binary),
        answers,
      );
      expect(rejection).toBeUndefined();
      expect(asWritten(prediction)).toEqual(expected[name.split(',')[0]!]);
    },
  );

  it.each(['Avro', 'JSON'])('are read with the GUID before the value: %s', async name => {
    const { headers, value } = records.find(record => record.name === `${name}, header`)!;
    const guid = Buffer.from(headers.__value_schema_id!, 'hex').subarray(0, 17);
    const { value: prediction } = await decoded(
      Buffer.concat([guid, Buffer.from(value, 'hex')]),
      {},
      answers,
    );
    expect(asWritten(prediction)).toEqual(expected[name]);
    expect((await decoded(guid, {}, answers)).rejection?.class).toMatch(/^malformed-/);
    expect((await decoded(guid.subarray(0, 16), {}, answers)).rejection?.class).toBe(
      'malformed-json',
    );
  });

  it('reads JSON whatever schema is in the header, and says that one of Avro is unknown', async () => {
    const unknown = { __value_schema_id: Buffer.alloc(17, 1) };
    const { value } = await decoded(bytesOf('JSON, header'), unknown, {});
    expect(value?.id).toBe('j1');
    const guid = records.find(({ name }) => name === 'Avro, header')!.headers.__value_schema_id!;
    const ofAvro = { __value_schema_id: Buffer.from(guid, 'hex') };
    expect((await decoded(bytesOf('JSON, header'), ofAvro, answers)).value?.id).toBe('j1');
    const { rejection } = await decoded(bytesOf('Avro, header'), unknown, {});
    expect(rejection).toEqual({
      class: 'unknown-schema-id',
      message: 'schema guid 01010101-0101-0101-0101-010101010101 is not in the registry',
    });
  });
});

describe("Apicurio's serialiser, with a stub in place of its registry", () => {
  const base = '/apis/ccompat/v7';
  /** Bytes that serialized/Apicurio.java wrote, in the modes of the serialiser. */
  const modes: Fixtures['records'] = readFileSync(
    new URL('serialized/apicurio.jsonl', import.meta.url),
    'utf8',
  )
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  const schema = JSON.stringify({
    type: 'record',
    name: 'Out',
    namespace: 'com.shop',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'label', type: { type: 'enum', name: 'L', symbols: ['YES', 'NO'] } },
      { name: 'time', type: 'long' },
    ],
  });
  const native = Object.fromEntries(
    ['globalId', 'contentId'].map(kind => {
      const header = `apicurio.value.${kind}`;
      const { headers } = modes.find(mode => header in mode.headers)!;
      return [`/apis/registry/v2/ids/${kind}s/${Number(`0x${headers[header]}`)}`, schema];
    }),
  );

  async function decodedFeedback(
    { value, headers }: Fixtures['records'][number],
    answersOfRegistry: Answers,
    withBase = true,
  ) {
    await using registry = await stubRegistry(answersOfRegistry, withBase ? { base } : {});
    const binary = Object.entries(headers).map(([key, hex]) => [key, Buffer.from(hex, 'hex')]);
    const common = { topic: '', partition: 0, offset: 0, key: null, timestampMs: 0 };
    const bytes = { value: Buffer.from(value, 'hex'), headers: Object.fromEntries(binary) };
    await registry.schemas.prepare([bytes]);
    return decodeRecord({ ...common, ...bytes }, 'Feedback', registry.schemas);
  }

  it.each(modes)('is read in its mode $name', async mode => {
    const { value } = await decodedFeedback(mode, native);
    expect(value).toEqual({
      id: 'j1',
      label: 'YES',
      time: Date.UTC(2026, 0, 1),
      model: null,
      value: null,
    });
  });

  it('is said to be unknown when no registry has the schema', async () => {
    for (const mode of modes.filter(({ name }) => name !== 'json')) {
      for (const withBase of [true, false]) {
        const { rejection } = await decodedFeedback(mode, withBase ? {} : native, withBase);
        expect(rejection?.class).toBe('unknown-schema-id');
      }
    }
  });
});

describe('Protobuf', () => {
  const textOf = (name: string) =>
    readFileSync(new URL(`serialized/${name}.proto`, import.meta.url), 'utf8');
  // Confluent's registry gives the text of a schema, which Python registers as a descriptor.
  const asText = Object.fromEntries(
    Object.entries(answers).map(([path, answer]) => {
      if (answer.schemaType !== 'PROTOBUF') return [path, answer];
      return [path, { ...answer, schema: textOf(answer.references ? 'scoring' : 'common') }];
    }),
  );
  const ofProtobuf = records.filter(({ name }) => name.startsWith('Protobuf'));
  const forms = [
    { form: 'descriptors', schemas: answers },
    { form: 'text', schemas: asText },
  ].flatMap(form => ofProtobuf.map(record => ({ ...record, ...form })));

  it.each(forms)(
    'is mapped to the contract by the names of its fields: $name, schemas as $form',
    async ({ headers, value, schemas }) => {
      const binary = Object.entries(headers).map(([key, hex]) => [key, Buffer.from(hex, 'hex')]);
      const { value: prediction, rejection } = await decoded(
        Buffer.from(value, 'hex'),
        Object.fromEntries(binary),
        schemas,
      );
      expect(rejection).toBeUndefined();
      expect(asWritten(prediction)).toEqual({
        ...predictionDefaults,
        id: 'p1',
        model: 'churn',
        version: '3',
        time: Date.UTC(2026, 2, 2, 9, 30, 0, 123),
        features: {
          'customer.customer_id': 2 ** 60,
          'customer.age': 41.5,
          'customer.channel': 'WEB',
          income: 0,
          newsletter: false,
          plan: 'pro',
          orders: 0,
        },
        prediction: 'LEAVES',
        score: null,
        probabilities: { STAYS: 0.25, LEAVES: 0.75 },
        segment: { country: 'DE' },
      });
    },
  );

  it('gives a value or a rejection for damaged bytes', async () => {
    await using registry = await stubRegistry(answers);
    const whole = bytesOf('Protobuf, prefix');
    const common = { topic: '', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 };
    await registry.schemas.prepare([{ value: whole, headers: {} }]);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.uint8Array({ maxLength: 8 }), (at, inserted) => {
        const value = Buffer.concat([whole.subarray(0, at), inserted, whole.subarray(at)]);
        for (const bytes of [value, whole.subarray(0, at)]) {
          const { rejection } = decodeRecord({ ...common, value: bytes }, 'Prediction', {
            resolver: contract => registry.schemas.resolver(contract, 4),
          });
          if (rejection) expect(rejection.message.length).toBeLessThan(1000);
        }
      }),
    );
  });
});

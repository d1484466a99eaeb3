import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { contractText, contractType } from '../../../services/shared/avro/contractTypes.ts';
import { maxSchemaBytes } from '../../../services/shared/avro/parsedSchema.ts';
import { maxAnswerBytes } from '../../../services/shared/avro/registryRequests.ts';
import { maxUnknownAsked } from '../../../services/shared/avro/schemaRegistry.ts';
import { decodeRecord } from '../../../services/shared/records/decodeRecord.ts';
import { asWritten } from './contractArbitrary.ts';
import { stubRegistry } from './stubRegistry.ts';

const prediction = {
  id: 'a',
  model: 'm',
  version: '1',
  time: Date.UTC(2026, 0, 1),
  features: { amount: 1 },
  prediction: 'yes',
};
const ofId = (id: number, bytes: Uint8Array) => {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return { value: Buffer.concat([header, bytes]), headers: {} };
};
const common = { topic: '', partition: 0, offset: 0, key: null, timestampMs: 0 };
const field = (name: string, type: unknown) => ({ name, type });
const record = (fields: object[], name = 'Prediction') => ({ type: 'record', name, fields });
const contract = JSON.parse(contractText('Prediction'));
const withField = (type: unknown) => ({
  ...contract,
  fields: [...contract.fields, field('extra', type)],
});

/** Each level holds the next one twice, so that the last one is there 2 ** levels times. */
function nestedTwice(levels: number, leaf: unknown): unknown {
  let type = leaf;
  for (let level = levels; level > 0; level--)
    type = record(
      [field('a', type), field('b', level === levels ? type : `N${level + 1}`)],
      `N${level}`,
    );
  return type;
}

const deep = (levels: number) =>
  `${'{"type":"array","items":'.repeat(levels)}"int"${'}'.repeat(levels)}`;
const bytes = contractType('Prediction').toBuffer(prediction);
const proto = (body: string) => `syntax = "proto3"; ${body}`;

interface Hostile {
  name: string;
  schema: unknown;
  schemaType?: string;
  references?: object[];
  value?: Uint8Array;
}
const hostile: Hostile[] = [
  { name: '2 ** 40 parts without bytes', schema: withField(nestedTwice(40, 'null')) },
  { name: 'a million parts without bytes', schema: withField(nestedTwice(20, 'null')) },
  { name: '2 ** 40 parts with bytes', schema: withField(nestedTwice(40, 'int')) },
  {
    name: 'a list of a billion parts without bytes',
    schema: withField({ type: 'array', items: nestedTwice(10, 'null') }),
    value: Buffer.concat([bytes, Buffer.from([0x80, 0xa8, 0xd6, 0xb9, 0x07])]),
  },
  { name: 'a record within itself', schema: record([field('id', 'Prediction')]) },
  {
    name: 'a list within itself, 100,000 levels deep',
    schema: record([field('id', { type: 'array', items: 'Prediction' })]),
    value: Buffer.alloc(100_000, 2),
  },
  { name: 'a hundred thousand levels', schema: deep(20_000) },
  { name: 'a schema too large', schema: { ...contract, doc: 'x'.repeat(maxSchemaBytes) } },
  { name: 'an answer too large', schema: { ...contract, doc: 'x'.repeat(maxAnswerBytes) } },
  { name: 'no JSON', schema: '{' },
  { name: 'an empty text', schema: '' },
  { name: 'null', schema: 'null' },
  { name: 'a number', schema: '7' },
  { name: 'an empty object', schema: {} },
  { name: 'an empty union', schema: [] },
  { name: 'a record without fields', schema: { type: 'record', name: 'Prediction' } },
  { name: 'fields that are no list', schema: { type: 'record', name: 'P', fields: { length: 3 } } },
  { name: 'fields that are null', schema: { type: 'record', name: 'P', fields: [null, null] } },
  { name: 'a type that is not defined', schema: record([field('id', 'Other')]) },
  { name: 'an enum without symbols', schema: record([field('id', { type: 'enum', name: 'E' })]) },
  {
    name: 'a fixed of negative size',
    schema: record([field('id', { type: 'fixed', name: 'F', size: -1 })]),
  },
  {
    name: 'a decimal of a megabyte',
    schema: record([
      field('id', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
    ]),
    value: Buffer.concat([Buffer.from([0x80, 0x80, 0x64]), Buffer.alloc(819_200, 1)]),
  },
  { name: 'names of the prototype', schema: record([field('__proto__', 'string')], '__proto__') },
  { name: 'a primitive', schema: '"string"' },
  { name: 'JSON Schema of nothing we know', schema: '{}', schemaType: 'JSON' },
  { name: 'a kind that nobody knows', schema: '<xsd/>', schemaType: 'XSD' },
  { name: 'Protobuf that is none', schema: 'message {', schemaType: 'PROTOBUF' },
  { name: 'Protobuf without messages', schema: proto(''), schemaType: 'PROTOBUF' },
  {
    name: 'Protobuf with a type that is not defined',
    schema: proto('message P { Other id = 1; }'),
    schemaType: 'PROTOBUF',
  },
  {
    name: 'Protobuf in ten thousand levels',
    schema: proto('message M {'.repeat(10_000) + '}'.repeat(10_000)),
    schemaType: 'PROTOBUF',
  },
  {
    name: 'a Protobuf message within itself',
    schema: proto('message P { P id = 1; }'),
    schemaType: 'PROTOBUF',
    value: Buffer.from([0, 10, 4, 10, 2, 10, 0]),
  },
  {
    name: 'a descriptor that is none',
    schema: Buffer.alloc(300, 255).toString('base64'),
    schemaType: 'PROTOBUF',
  },
  {
    name: 'a reference that does not exist',
    schema: contract,
    references: [{ name: 'x', subject: 'x', version: 1 }],
  },
  {
    name: 'a reference to itself',
    schema: record([field('id', 'x')]),
    references: [{ name: 'x', subject: 'own', version: 1 }],
  },
];

const answerOf = ({ schema, schemaType = 'AVRO', references }: Hostile) => ({
  schema: typeof schema === 'string' ? schema : JSON.stringify(schema),
  schemaType,
  ...(references && { references }),
});

describe('a record whose schema is broken or hostile', () => {
  it.each(hostile)('is rejected with a reason, and the next one is read: $name', async one => {
    const answer = answerOf(one);
    await using registry = await stubRegistry({
      '/schemas/ids/1': answer,
      '/schemas/ids/2': { schema: contractText('Prediction') },
      '/subjects/own/versions/1': answer,
    });
    const records = [ofId(1, one.value ?? bytes), ofId(2, bytes)];
    await registry.schemas.prepare(records);
    const [bad, good] = records.map(written =>
      decodeRecord({ ...common, ...written }, 'Prediction', registry.schemas),
    );
    expect(bad!.rejection?.class).toMatch(
      /^(incompatible-schema|malformed-(avro|protobuf|json)|invalid-field|unknown-schema-id)$/,
    );
    expect(bad!.rejection!.message.length).toBeGreaterThan(10);
    expect(bad!.rejection!.message.length).toBeLessThan(1000);
    expect(good!.value?.id).toBe('a');
    expect(registry.errors).toEqual([]);
  });
});

it('names the kind of a schema that cannot be read, and what is wrong with it', async () => {
  const named = (name: string) => answerOf(hostile.find(one => one.name === name)!);
  await using registry = await stubRegistry({
    '/schemas/ids/1': named('a type that is not defined'),
    '/schemas/ids/2': named('Protobuf with a type that is not defined'),
    '/schemas/ids/3': named('a kind that nobody knows'),
  });
  const records = [1, 2, 3].map(id => ofId(id, bytes));
  await registry.schemas.prepare(records);
  const messages = records.map(
    written =>
      decodeRecord({ ...common, ...written }, 'Prediction', registry.schemas).rejection!.message,
  );
  expect(messages).toEqual([
    'schema id 1 cannot be read as Prediction: Avro schema: the type "Other" is not defined',
    expect.stringMatching(/^schema id 2 cannot .*: Protobuf schema: no such .*Other/),
    'schema id 3 cannot be read as Prediction: it is of the kind "XSD"; Avro, JSON and Protobuf are read',
  ]);
});

describe('Avro of other producers', () => {
  async function decoded(schema: object, value: object) {
    const type = avro.Type.forSchema(schema as avro.Schema);
    await using registry = await stubRegistry({
      '/schemas/ids/1': { schema: JSON.stringify(schema) },
    });
    const written = ofId(1, type.toBuffer(value));
    await registry.schemas.prepare([written]);
    return decodeRecord({ ...common, ...written }, 'Prediction', registry.schemas);
  }

  it.each([
    ['another namespace', { ...contract, namespace: 'com.shop' }],
    ['no namespace', { ...contract, namespace: undefined }],
    ['another name', { ...contract, name: 'Scored' }],
    ['another order of fields', { ...contract, fields: contract.fields.toReversed() }],
    ['more fields', withField({ type: 'array', items: ['null', 'string'] })],
    ['a default of the second branch', { ...contract, fields: [...contract.fields] }],
  ])('is read with %s', async (_, schema) => {
    const { value } = await decoded(schema, { ...prediction, extra: ['x', null] });
    expect(asWritten(value)).toMatchObject(prediction);
  });

  it('is read with whole numbers as names, a text as the time, and features as fields', async () => {
    const inputs = record([field('amount', 'int'), field('city', ['null', 'string'])], 'Inputs');
    const schema = record([
      field('id', 'long'),
      field('model', 'string'),
      field('version', 'int'),
      field('time', 'string'),
      field('features', inputs),
      field('prediction', 'boolean'),
      field('latency_ms', 'int'),
    ]);
    const written = { id: 7, model: 'm', version: 3, time: '2026-01-01 01:00:00+01' };
    const { value } = await decoded(schema, {
      ...written,
      features: { amount: 5, city: 'Rome' },
      prediction: true,
      latency_ms: 3,
    });
    expect(asWritten(value)).toMatchObject({
      id: '7',
      version: '3',
      time: prediction.time,
      features: { amount: 5, city: 'Rome' },
      prediction: true,
      latencyMs: 3,
    });
  });

  it('names field, model and version in what it rejects', async () => {
    const schema = record([field('model', 'string'), field('version', 'int')]);
    const { rejection } = await decoded(schema, { model: 'm', version: 3 });
    expect(rejection).toEqual({
      class: 'invalid-field',
      message: 'id: is missing',
      model: 'm',
      version: '3',
    });
  });
});

describe('the registry', () => {
  it('is asked once for a schema, also for one that it does not know or that cannot be read', async () => {
    await using registry = await stubRegistry({
      '/schemas/ids/1': { schema: contractText('Prediction') },
      '/schemas/ids/2': { schema: '{' },
    });
    const records = [1, 2, 3, 1, 2, 3].map(id => ofId(id, bytes));
    await registry.schemas.prepare(records);
    await registry.schemas.prepare(records);
    expect(registry.paths.toSorted()).toEqual([
      '/schemas/ids/1',
      '/schemas/ids/2',
      '/schemas/ids/3',
    ]);
    expect(registry.schemas.resolver('Prediction', 3)).toBeNull();
  });

  it('is not asked for every id of a flood of garbage', async () => {
    await using registry = await stubRegistry({
      '/schemas/ids/1': { schema: contractText('Prediction') },
    });
    await registry.schemas.prepare([ofId(1, bytes)]);
    const flood = Array.from({ length: 3_000 }, (_, number) => ofId(number + 2, bytes));
    await registry.schemas.prepare([...flood, ofId(1, bytes)]);
    expect(registry.paths.length).toBeLessThan(maxUnknownAsked + 32);
    expect(registry.schemas.resolver('Prediction', 3_000)).toBeNull();
    expect(registry.schemas.resolver('Prediction', 1)).not.toBeNull();
  });

  it('is asked again when it fails, is silent, or answers what is no schema', async () => {
    const answers: [number, string][] = [
      [503, 'no'],
      [429, 'later'],
      [200, '<html>log in</html>'],
      [200, '{"id":1}'],
      [200, JSON.stringify({ schema: contractText('Prediction') })],
    ];
    await using registry = await stubRegistry((_, response) => {
      const [status, text] = answers.shift()!;
      response.writeHead(status).end(text);
    });
    await registry.schemas.prepare([ofId(1, bytes)]);
    expect(registry.errors).toHaveLength(4);
    expect(registry.schemas.resolver('Prediction', 1)).not.toBeNull();
  });

  it('is asked again when a connection stays open but carries nothing', async () => {
    let requests = 0;
    await using registry = await stubRegistry(
      (_, response) => {
        if (++requests === 1) response.write(' ');
        if (requests > 2) response.end(JSON.stringify({ schema: contractText('Prediction') }));
      },
      { timeoutMs: 200 },
    );
    await registry.schemas.prepare([ofId(1, bytes)]);
    expect(registry.errors.map(error => (error as Error).name)).toEqual([
      'TimeoutError',
      'TimeoutError',
    ]);
    expect(registry.schemas.resolver('Prediction', 1)).not.toBeNull();
  });

  it('ends every service when it refuses the credentials', async () => {
    await using registry = await stubRegistry((_, response) => response.writeHead(401).end());
    await expect(registry.schemas.prepare([ofId(1, bytes)])).rejects.toThrow('answers 401');
  });

  it.each(['that does not answer', 'that is away'])(
    'is waited for until the signal to stop: one %s',
    async kind => {
      const stop = new AbortController();
      const asked = Promise.withResolvers<void>();
      await using registry = await stubRegistry(
        (_, response) => {
          asked.resolve();
          if (kind === 'that is away') response.writeHead(503).end();
        },
        { signal: stop.signal },
      );
      const prepared = registry.schemas.prepare([ofId(1, bytes)]);
      await asked.promise;
      stop.abort(new Error('stopped'));
      await expect(prepared).rejects.toThrow('stopped');
    },
  );
});

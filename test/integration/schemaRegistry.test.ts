import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import { expect, inject, it } from 'vitest';
import { freePort } from '../../infra/local/processes/claimPort.ts';
import {
  connectSchemaRegistry,
  contractType,
  wireHeaderBytes,
  wireSchemaId,
} from '../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import type { DriftEvent, Feedback } from '../../services/shared/contracts.ts';
import { decodeRecord } from '../../services/shared/records/decodeRecord.ts';
import { uniqueName } from '../uniqueName.ts';
import { driftEvent } from '../unit/detector/driftEventFixture.ts';

it('waits for a registry that is away, and rejects no record meanwhile', async () => {
  const real = inject('schemaRegistryUrl');
  const encode = await connectSchemaRegistry(
    readEnvironment({ SCHEMA_REGISTRY_URL: real }),
  ).encoder<Feedback>('Feedback', uniqueName());
  const value = encode({
    id: '1',
    model: null,
    label: 'yes',
    value: null,
    time: Date.UTC(2026, 0, 1),
  });

  const port = await freePort();
  const gateway = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url!, real));
    response
      .writeHead(answer.status, { 'content-type': 'application/json' })
      .end(await answer.text());
  });
  const refused = Promise.withResolvers<void>();
  const schemas = connectSchemaRegistry(
    readEnvironment({ SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}${new URL(real).pathname}` }),
    () => refused.resolve(),
  );
  const prepared = schemas.prepare([{ value, headers: {} }]);
  await Promise.race([refused.promise, prepared]);
  expect(schemas.resolver('Feedback', wireSchemaId(value)!)).toBeNull();
  gateway.listen(port, '127.0.0.1');
  await prepared;
  expect(schemas.resolver('Feedback', wireSchemaId(value)!)).toMatchObject({
    type: expect.anything(),
  });
  await schemas.prepare([{ value: Buffer.from([0, 0, 15, 66, 63]), headers: {} }]);
  expect(schemas.resolver('Feedback', 999_999)).toBeNull();
  gateway.closeAllConnections();
  gateway.close();
});

it('reads drift events of the earlier contract, which has no predictionContributions', async () => {
  const url = inject('schemaRegistryUrl');
  const topic = uniqueName();
  const schema = contractType('DriftEvent').schema({ exportAttrs: true }) as {
    fields: { name: string }[];
  };
  const fields = schema.fields.filter(({ name }) => name !== 'predictionContributions');
  const earlier = JSON.stringify({ ...schema, fields });
  const { id } = await new SchemaRegistry({ host: url }).register(
    { type: SchemaType.AVRO, schema: earlier },
    { subject: `${topic}-value` },
  );
  const header = Buffer.alloc(wireHeaderBytes);
  header.writeInt32BE(id, 1);
  const event = { ...driftEvent('a'), revision: 1 };
  const record = Buffer.concat([header, avro.Type.forSchema(JSON.parse(earlier)).toBuffer(event)]);

  const schemas = connectSchemaRegistry(readEnvironment({ SCHEMA_REGISTRY_URL: url }));
  const encode = await schemas.encoder<DriftEvent>('DriftEvent', topic);
  const decoded = async (value: Buffer) => {
    await schemas.prepare([{ value, headers: {} }]);
    const common = { topic: '', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 };
    return decodeRecord({ ...common, value }, 'DriftEvent', schemas).value;
  };
  expect(await decoded(record)).toEqual({ ...event, predictionContributions: {} });
  expect(await decoded(encode(event))).toEqual(event);
});

it('registers the contracts as they are published, and nothing new the next time', async () => {
  const url = inject('schemaRegistryUrl');
  const topic = uniqueName();
  const schemas = connectSchemaRegistry(readEnvironment({ SCHEMA_REGISTRY_URL: url }));
  const published = JSON.parse(
    readFileSync(new URL('../../schemas/prediction.avsc', import.meta.url), 'utf8'),
  );
  await schemas.encoder('Prediction', topic);
  await schemas.encoder('Prediction', topic);
  const subject = `${url}/subjects/${topic}-value`;
  const register = (schema: object) =>
    fetch(`${subject}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    });
  expect(await (await fetch(`${subject}/versions`)).json()).toEqual([1]);
  const { schema } = (await (await fetch(`${subject}/versions/1`)).json()) as { schema: string };
  expect(JSON.parse(schema)).toEqual(published);
  // As a producer does that registers the file by itself.
  await register(published);
  expect(await (await fetch(`${subject}/versions`)).json()).toEqual([1]);
  const required = { ...published, fields: [...published.fields, { name: 'new', type: 'int' }] };
  expect((await register(required)).status).toBe(409);
});

it('reads every id of Apicurio: in its headers, and of eight bytes', async () => {
  const url = inject('schemaRegistryUrl');
  const schemas = connectSchemaRegistry(readEnvironment({ SCHEMA_REGISTRY_URL: url }));
  const encode = await schemas.encoder<Feedback>('Feedback', uniqueName());
  const feedback = { id: '1', model: null, label: 'yes', value: null, time: Date.UTC(2026, 0, 1) };
  const contentId = wireSchemaId(encode(feedback))!;
  // A schema of a topic of its own, so that its global id is not its content id.
  const native = url.replace('/ccompat/v7', '/registry/v2');
  const topic = uniqueName();
  await schemas.encoder<Feedback>('Feedback', topic);
  const found = await fetch(`${native}/groups/default/artifacts/${topic}-value/meta`);
  const { globalId } = (await found.json()) as { globalId: number };
  expect(globalId).not.toBe(contentId);

  const value = encode(feedback).subarray(wireHeaderBytes);
  const idBytes = (id: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(id));
    return bytes;
  };
  const forms = [
    { value, headers: { 'apicurio.value.globalId': idBytes(globalId) } },
    { value, headers: { 'apicurio.value.contentId': idBytes(contentId) } },
    { value: Buffer.concat([Buffer.from([0]), idBytes(globalId), value]), headers: {} },
  ];
  await schemas.prepare(forms);
  const common = { topic: '', partition: 0, offset: 0, key: null, timestampMs: 0 };
  for (const form of forms)
    expect(decodeRecord({ ...common, ...form }, 'Feedback', schemas).value).toEqual(feedback);
});

it('reads JSON Schema and Protobuf that are registered here', async () => {
  const url = inject('schemaRegistryUrl');
  const registered = async (schemaType: string, schema: string) => {
    const response = await fetch(`${url}/subjects/${uniqueName()}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ schemaType, schema }),
    });
    const header = Buffer.alloc(wireHeaderBytes);
    header.writeInt32BE(((await response.json()) as { id: number }).id, 1);
    return header;
  };
  const proto =
    'syntax = "proto3"; message Outcome { string id = 1; string label = 2; int64 time = 3; }';
  const time = Date.UTC(2026, 0, 1);
  const json = JSON.stringify({ id: '1', label: 'yes', time });
  const draft = 'https://json-schema.org/draft/2020-12/schema';
  const values = [
    [
      await registered('JSON', JSON.stringify({ $schema: draft, type: 'object', 'x-unknown': 1 })),
      Buffer.from(json),
    ],
    [
      await registered('PROTOBUF', proto),
      // The first message, then its fields. The time is in seconds.
      Buffer.from([0, 10, 1, 49, 18, 3, 121, 101, 115, 24, 128, 242, 214, 202, 6]),
    ],
  ].map(parts => ({ value: Buffer.concat(parts), headers: {} }));
  const schemas = connectSchemaRegistry(readEnvironment({ SCHEMA_REGISTRY_URL: url }));
  await schemas.prepare(values);
  const common = { topic: '', partition: 0, offset: 0, key: null, timestampMs: 0 };
  for (const value of values) {
    expect(decodeRecord({ ...common, ...value }, 'Feedback', schemas)).toEqual({
      value: { id: '1', label: 'yes', time, model: null, value: null },
    });
  }
});

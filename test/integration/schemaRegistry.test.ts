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

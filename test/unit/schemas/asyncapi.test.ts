import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { topicDefinitions } from '../../../infra/kafka/topics.ts';
import { cloudEvent } from '../../../services/shared/kafka/cloudEvent.ts';
import { serviceFlow } from '../../../services/shared/kafka/serviceFlow.ts';
import { type Topic, topics } from '../../../services/shared/kafka/topics.ts';
import { deadLetterRecord } from '../../../services/shared/service/deadLetters.ts';

interface Operation {
  action: 'send' | 'receive';
  channel: { $ref: string };
  summary: string;
}
interface Message {
  headers?: object;
  payload?: { schemaFormat?: string; schema?: { $ref: string } };
}
interface AsyncApi {
  channels: Record<
    string,
    {
      address: string;
      messages: Record<string, { $ref: string }>;
      bindings: {
        kafka: { partitions: number; topicConfiguration?: { 'cleanup.policy': string[] } };
      };
    }
  >;
  operations: Record<string, Operation>;
  components: { messages: Record<string, Message>; schemas: Record<string, object> };
}

const schemaFolder = new URL('../../../schemas/', import.meta.url);
const asyncApi: AsyncApi = parse(readFileSync(new URL('asyncapi.yaml', schemaFolder), 'utf8'), {
  merge: true,
});
const officialSchema = createRequire(import.meta.url)(
  '@asyncapi/specs/schemas/3.0.0-without-$id.json',
);

const avroSchemaOf = (message: Message) =>
  JSON.parse(readFileSync(new URL(message.payload!.schema!.$ref, schemaFolder), 'utf8'));
const messageOf = (topic: string) =>
  asyncApi.components.messages[
    Object.values(asyncApi.channels[topic]!.messages)[0]!.$ref.split('/').at(-1)!
  ]!;

/** Headers as a consumer sees them, checked with a schema of the document. */
function checkHeaders(schema: object, headers: Record<string, unknown>): unknown {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const validate = ajv.compile({ ...schema, components: asyncApi.components });
  return validate(headers) || validate.errors;
}

describe('schemas/asyncapi.yaml', () => {
  it("follows AsyncAPI's own schema", () => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(officialSchema);
    expect(validate(asyncApi) || validate.errors).toBe(true);
    expect(validate({ ...asyncApi, channels: { x: { adress: 'x' } } })).toBe(false);
  });

  it('has a channel for every topic, with its partitions and its clean-up', () => {
    expect(Object.keys(asyncApi.channels).sort()).toEqual(Object.values(topics).sort());
    for (const [name, channel] of Object.entries(asyncApi.channels)) {
      expect(channel.address).toBe(name);
      const { partitions, retention } = topicDefinitions[name as Topic];
      const { kafka } = channel.bindings;
      expect(kafka.partitions, name).toBe(partitions);
      expect(kafka.topicConfiguration, name).toEqual(
        retention === 'compact' ? { 'cleanup.policy': ['compact'] } : undefined,
      );
    }
  });

  it('refers to the contract of each topic, and to every contract', () => {
    for (const [topic, { contract }] of Object.entries(topicDefinitions)) {
      if (contract === undefined) continue;
      const schema = avroSchemaOf(messageOf(topic));
      expect(avro.Type.forSchema(schema).typeName).toBe('record');
      expect(schema.name).toBe(contract);
    }
    const referred = Object.values(asyncApi.components.messages).flatMap(
      ({ payload }) => payload?.schema?.$ref ?? [],
    );
    const files = readdirSync(schemaFolder).filter(file => file.endsWith('.avsc'));
    expect(referred.sort()).toEqual(files.map(file => `./${file}`).sort());
  });

  it('names the same readers of each topic as the services', () => {
    for (const { name, consumes } of serviceFlow) {
      const documented = Object.values(asyncApi.operations)
        .filter(({ action, summary }) => action === 'receive' && summary.includes(name))
        .map(({ channel }) => channel.$ref.split('/').at(-1));
      expect(documented.sort(), name).toEqual([...consumes].sort());
    }
  });

  it.each(['drift-event', 'alert', 'retrain-request', 'version-request', 'model-version'])(
    'describes the headers of a %s',
    name => {
      const type = `io.driftloop.${name}`;
      const options = {
        topic: 't',
        key: 'churn',
        source: 'detector',
        identity: ['x', 1],
        subject: 'churn',
        timeMs: 0,
      };
      const { headers } = cloudEvent({ ...options, type, value: Buffer.alloc(0) });
      const schema = messageOf(`${name}s`).headers!;
      expect(checkHeaders(schema, headers!)).toBe(true);
      expect(checkHeaders(schema, { ...headers, ce_type: 'io.driftloop.other' })).not.toBe(true);
      expect(checkHeaders(schema, { ...headers, ce_id: undefined })).not.toBe(true);
    },
  );

  it('describes the headers of a dead letter', () => {
    const record = {
      topic: 'predictions',
      partition: 3,
      offset: 7,
      key: null,
      value: null,
      headers: {},
      timestampMs: 0,
    };
    const rejection = {
      class: 'null-value',
      message: 'the value is null',
      model: 'churn',
    } as const;
    const { headers } = deadLetterRecord('dead-letters', 'profiler', { record, rejection });
    const schema = asyncApi.components.schemas.deadLetterHeaders!;
    expect(checkHeaders(schema, headers!)).toBe(true);
    expect(
      checkHeaders(schema, { ...headers, '__connect.errors.exception.class.name': 'unheard-of' }),
    ).not.toBe(true);
    expect(Object.keys((schema as { properties: object }).properties)).toEqual(
      expect.arrayContaining(Object.keys(headers!)),
    );
  });
});

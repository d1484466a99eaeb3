import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import { predictionDefaults } from '../../../services/shared/contracts.ts';
import type { KafkaHeaders } from '../../../services/shared/kafka/kafka.ts';
import { featuresOf } from '../../../services/shared/profile/features.ts';
import {
  type ContractName,
  type Decoded,
  type DecodedContracts,
  decodeRecord,
} from '../../../services/shared/records/decodeRecord.ts';
import { acceptedTimes } from '../../../services/shared/records/eventTime.ts';
import { asWritten } from './contractArbitrary.ts';

const minimal = {
  id: 'a',
  model: 'm',
  version: '1',
  time: 1_767_225_600_000,
  features: { amount: 1 },
  prediction: 'yes',
};
const unknownSchemas = { resolver: () => null };

function decode<Name extends ContractName = 'Prediction'>(
  value: Buffer | string | object,
  {
    headers = {},
    contract = 'Prediction' as Name,
    schemas = unknownSchemas as Parameters<typeof decodeRecord>[2],
  } = {} as {
    headers?: KafkaHeaders;
    contract?: Name;
    schemas?: Parameters<typeof decodeRecord>[2];
  },
): Decoded<DecodedContracts[Name]> {
  const bytes = Buffer.isBuffer(value)
    ? value
    : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return decodeRecord(
    { topic: 't', partition: 0, offset: 0, key: null, value: bytes, headers, timestampMs: 0 },
    contract,
    schemas,
  );
}

describe('JSON', () => {
  it('fills optional fields and reads times in ISO 8601, taking one without a zone as UTC', () => {
    expect(asWritten(decode({ ...minimal, time: '2026-01-01T00:00:00' }).value)).toEqual({
      ...predictionDefaults,
      ...minimal,
    });
    expect(decode({ ...minimal, time: '2026-01-01' }).value?.time).toBe(minimal.time);
    expect(decode({ ...minimal, time: '2026-01-01T10:00:00+10:00' }).value?.time).toBe(
      minimal.time,
    );
  });

  it('accepts features of every type, null included, and converts segments to text', () => {
    const features = { number: 1.5, text: 'x', flag: true, nothing: null };
    const { value } = decode({ ...minimal, features, segment: { tier: 2, vip: true, none: null } });
    expect(value?.features).toEqual(featuresOf(features));
    expect(value?.segment).toEqual({ tier: '2', vip: 'true' });
  });

  it.each([
    [
      'a missing field',
      { id: 'a', model: 'm', version: '1', features: {}, prediction: 1 },
      'time: is missing',
    ],
    [
      'a wrong type',
      { ...minimal, version: 3.5 },
      'version: expected text or a whole number, got 3.5',
    ],
    [
      'a list of text among the features',
      { ...minimal, features: { a: ['b'] } },
      expect.stringMatching(/^features\.a.*: expected .*, got .*"b"/),
    ],
    [
      'features in too many levels',
      { ...minimal, features: { a: { b: { c: { d: { e: { f: {} } } } } } } },
      'features.a.b.c.d.e.f: is nested too deep; objects in at most 5 levels are read',
    ],
    [
      'two features of the same name',
      { ...minimal, features: { 'a.b': 1, a: { b: 1 } } },
      'features.a.b: comes twice, within an object and with the dot in its name',
    ],
    [
      'probabilities without classes',
      { ...minimal, probabilities: [0.2, 0.8] },
      'probabilities: expected null or an object, got [0.2,0.8]',
    ],
    [
      'a score that is no number',
      { ...minimal, score: '80 %' },
      'score: expected null or a number, got "80 %"',
    ],
    ['a list for features', { ...minimal, features: [1] }, 'features: expected an object, got [1]'],
    [
      'a text that is no time',
      { ...minimal, time: 'yesterday' },
      `time: expected ${acceptedTimes}, got "yesterday"`,
    ],
    [
      'a date that may be of March or of April',
      { ...minimal, time: '03/04/2026' },
      `time: expected ${acceptedTimes}, got "03/04/2026"`,
    ],
    [
      'null for a required field',
      { ...minimal, prediction: null },
      'prediction: expected boolean or a number or text, got null',
    ],
  ])('rejects %s, naming the field, its value and what was expected', (_, content, message) => {
    expect(decode(content).rejection).toMatchObject({ class: 'invalid-field', message });
  });

  it('names the model and version of a rejected record where they can be read', () => {
    expect(decode({ model: 'm', version: '1' }).rejection).toMatchObject({
      model: 'm',
      version: '1',
    });
    expect(decode({ model: 5 }).rejection?.model).toBe('5');
    expect(decode({ model: 5.5 }).rejection?.model).toBeUndefined();
  });

  it('reads what Python writes: NaN and infinities, whole-number ids and versions, numbers as text', () => {
    const { value } = decode(
      '\ufeff{"id":9007199254740993,"model":"m","version":3.0,"time":1767225600.25,' +
        '"features":{"a":NaN,"b":-Infinity,"c":"NaN"},"prediction":"Infinity","score":" 0.5",' +
        '"probabilities":{"x":"1e-3"},"code_version":12,"latency_ms":"3.5",' +
        '"weight":2,"sampling_rate":"0.1","quantiles":{"0.1":"-3","0.9":NaN},"ranking":["x",7,true],"shadow":"true"}',
    );
    expect(asWritten(value)).toEqual({
      id: '9007199254740993',
      model: 'm',
      version: '3',
      time: minimal.time + 250,
      features: { a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: 'NaN' },
      prediction: 'Infinity',
      score: 0.5,
      probabilities: { x: 0.001 },
      segment: null,
      codeVersion: '12',
      latencyMs: 3.5,
      weight: 2,
      samplingRate: 0.1,
      quantiles: { '0.1': -3, '0.9': Number.NaN },
      ranking: ['x', '7', 'true'],
      shadow: true,
    });
  });

  it('flattens objects among the features to names with dots', () => {
    const features = { a: 1, customer: { age: 41, address: { city: 'Rome' } } };
    expect(decode({ ...minimal, features }).value?.features).toEqual(
      featuresOf({ a: 1, 'customer.age': 41, 'customer.address.city': 'Rome' }),
    );
  });

  it('has another class of rejection than bytes that are not JSON', () => {
    expect(decode('{"id":').rejection?.class).toBe('malformed-json');
    expect(decode('[1,2]').rejection?.class).toBe('invalid-field');
    expect(decode(Buffer.alloc(0)).rejection?.class).toBe('malformed-json');
    expect(decode('{"id":"\\ud800"}').rejection?.message).toContain('half of a surrogate pair');
    expect(decode(Buffer.alloc(2_000_000, 65)).rejection?.class).toBe('too-large');
  });
});

describe('CloudEvents', () => {
  const event = { specversion: '1.0', id: '1', type: 't', source: 's' };
  it('reads structured mode, by content type or by its attributes, as JSON or base64', () => {
    expect(decode({ ...event, data: minimal }).value?.id).toBe('a');
    expect(
      decode(
        { ...event, data: minimal },
        { headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' } },
      ).value?.id,
    ).toBe('a');
    expect(
      decode({ ...event, data_base64: Buffer.from(JSON.stringify(minimal)).toString('base64') })
        .value?.id,
    ).toBe('a');
  });
  it('reads binary mode', () => {
    expect(
      decode(minimal, {
        headers: { ce_specversion: '1.0', ce_id: '1', 'content-type': 'application/json' },
      }).value?.id,
    ).toBe('a');
  });
  it('rejects an event without data', () => {
    expect(decode(event).rejection?.class).toBe('invalid-field');
  });
});

describe('Avro', () => {
  const prediction = contractType('Prediction');
  const framed = (type: avro.Type, value: unknown) =>
    Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), type.toBuffer(value)]);
  const resolving = (writer: avro.Type) => ({
    resolver: () => ({ type: prediction, resolver: prediction.createResolver(writer) }),
  });

  it('reads a value written with an older schema', () => {
    const { fields, ...schema } = prediction.schema({
      exportAttrs: true,
    }) as avro.schema.RecordType;
    const older = avro.Type.forSchema({ ...schema, fields: fields.slice(0, 6) });
    expect(
      asWritten(decode(framed(older, minimal), { schemas: resolving(older) }).value),
    ).toMatchObject({
      ...predictionDefaults,
      ...minimal,
    });
  });

  it('rejects a truncated value, an unknown schema id and a schema of another record', () => {
    const bytes = framed(prediction, asWritten(decode(minimal).value));
    expect(decode(bytes.subarray(0, 9), { schemas: resolving(prediction) }).rejection?.class).toBe(
      'malformed-avro',
    );
    expect(decode(bytes).rejection).toMatchObject({
      class: 'unknown-schema-id',
      message: 'schema id 7 is not in the registry',
    });
    expect(
      decode(bytes, { schemas: { resolver: () => new Error('no match') } }).rejection?.class,
    ).toBe('incompatible-schema');
  });

  it('never throws, for any bytes', () => {
    const schemas = resolving(prediction);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, framing) => {
        const value = Buffer.from(framing ? [0, 0, 0, 0, 7, ...bytes] : bytes);
        const decoded = decode(value, { schemas });
        expect(decoded.rejection === undefined).toBe(decoded.value !== undefined);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), content => {
        const decoded = decode(content as object, { contract: 'Feedback' });
        expect(decoded.rejection === undefined).toBe(decoded.value !== undefined);
      }),
    );
  });
});

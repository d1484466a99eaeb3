import avsc from 'avsc';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import { checkPrediction } from '../../../services/shared/records/checkRecord.ts';
import { decodeRecord } from '../../../services/shared/records/decodeRecord.ts';
import { weightOf } from '../../../services/shared/records/weightOf.ts';
import { asWritten } from './contractArbitrary.ts';
import { stubRegistry } from './stubRegistry.ts';

const minimal = {
  id: 'a',
  model: 'm',
  version: '1',
  time: 1_767_225_600_000,
  features: { amount: 1 },
  prediction: 'yes',
};
const type = contractType('Prediction');
const schemas = { resolver: () => ({ type, resolver: type.createResolver(type) }) };

const decode = (value: string | Buffer) => decoded(value).value!;
const rejectionOf = (value: string) => decoded(value).rejection;

function decoded(value: string | Buffer) {
  const bytes = Buffer.from(value as string);
  const record = { topic: 't', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 };
  return decodeRecord({ ...record, value: bytes }, 'Prediction', schemas);
}

/** Writes the minimal record with more fields, as JSON text. */
const json = (fields: string) => `${JSON.stringify(minimal).slice(0, -1)},${fields}}`;
const check = (value: string | Buffer) => checkPrediction(decode(value), minimal.time);

/** Writes the minimal record with more fields, as Avro in the wire format. */
const avro = (fields: object) =>
  Buffer.concat([
    Buffer.from([0, 0, 0, 0, 7]),
    type.toBuffer({ ...(asWritten(decode(JSON.stringify(minimal))) as object), ...fields }),
  ]);

describe('the number of predictions that a record stands for', () => {
  it.each([
    ['"segment":null', 1],
    ['"weight":null,"samplingRate":null', 1],
    ['"weight":2.5', 2.5],
    ['"samplingRate":0.25', 4],
    ['"weight":"3","sampling_rate":"0.5"', 6],
    ['"samplingRate":1', 1],
  ])('is weight / samplingRate: %s', (fields, expected) => {
    expect(check(json(fields))).toBeNull();
    expect(weightOf(decode(json(fields)))).toBe(expected);
  });

  const rangeOfWeight = 'expected a finite number above 0, at most 1000000000000000';
  const rangeOfRate = 'expected a number above 0, at most 1';
  it.each([
    ['"weight":0', `weight: ${rangeOfWeight}, got 0`],
    ['"weight":-2', `weight: ${rangeOfWeight}, got -2`],
    ['"weight":1e16', `weight: ${rangeOfWeight}, got 10000000000000000`],
    ['"weight":NaN', `weight: ${rangeOfWeight}, got NaN`],
    ['"weight":Infinity', `weight: ${rangeOfWeight}, got Infinity`],
    ['"samplingRate":0', `samplingRate: ${rangeOfRate}, got 0`],
    ['"samplingRate":-0.1', `samplingRate: ${rangeOfRate}, got -0.1`],
    ['"samplingRate":1.5', `samplingRate: ${rangeOfRate}, got 1.5`],
    ['"samplingRate":NaN', `samplingRate: ${rangeOfRate}, got NaN`],
    [
      '"weight":1e12,"samplingRate":1e-9',
      'samplingRate: expected weight / samplingRate of at most 1000000000000000, got 1e+21',
    ],
  ])('has to be above 0 and finite: %s', (fields, message) => {
    const { model, version } = minimal;
    expect(check(json(fields))).toEqual({ class: 'invalid-field', message, model, version });
  });

  it('is read and checked in Avro as in JSON', () => {
    const weighted = avro({ weight: 3, samplingRate: 0.5 });
    expect(check(weighted)).toBeNull();
    expect(weightOf(decode(weighted))).toBe(6);
    expect(check(avro({ weight: Number.NaN }))?.message).toBe(`weight: ${rangeOfWeight}, got NaN`);
    expect(check(avro({ samplingRate: 7 }))?.message).toBe(`samplingRate: ${rangeOfRate}, got 7`);
  });
});

describe('quantiles and ranked lists', () => {
  const { model, version } = minimal;

  it.each([
    ['"quantiles":{"0.1":-2,".5":0,"0.90":"4"}'],
    ['"quantiles":{"1e-3":1}'],
    // What is not finite is absent, and refuses no record.
    ['"quantiles":{"0.1":NaN,"0.9":Infinity}'],
    ['"quantiles":{}'],
    ['"ranking":["b","a"]'],
    ['"ranking":[7,true,"c"]'],
    ['"ranking":[]'],
    ['"quantiles":null,"ranking":null'],
  ])('are taken: %s', fields => {
    expect(check(json(fields))).toBeNull();
  });

  const levels = 'quantiles: expected levels above 0 and below 1, such as 0.1, got';
  const many = Array.from({ length: 101 }, (_, index) => index);
  it.each([
    ['"quantiles":{"0":1}', `${levels} "0"`],
    ['"quantiles":{"1.0":1}', `${levels} "1.0"`],
    ['"quantiles":{"0.5":1,"10":1}', `${levels} "10"`],
    ['"quantiles":{"-0.5":1}', `${levels} "-0.5"`],
    ['"quantiles":{"p90":1}', `${levels} "p90"`],
    ['"quantiles":{"0.1":1,"0.10":1}', 'quantiles: has the same level twice'],
    [
      `"quantiles":${JSON.stringify(Object.fromEntries(many.map(index => [(index + 1) / 200, 1])))}`,
      'quantiles: has 101 levels, at most 100 are allowed',
    ],
    [`"ranking":${JSON.stringify(many)}`, 'ranking: has 101 items, at most 100 are allowed'],
    ['"ranking":["a",""]', 'ranking.1: is empty'],
    [`"ranking":["${'a'.repeat(257)}"]`, 'ranking.0: has 257 characters, at most 256 are allowed'],
  ])('have a form: %s', (fields, message) => {
    expect(check(json(fields))).toEqual({ class: 'invalid-field', message, model, version });
  });

  it.each([
    ['"quantiles":{"0.1":"low"}', 'quantiles.0.1: expected a number, got "low"'],
    ['"quantiles":[1,2]', 'quantiles: expected null or an object, got [1,2]'],
    ['"ranking":"a"', 'ranking: expected null or a list, got "a"'],
    ['"ranking":[{"item":"a"}]', 'ranking.0: expected text, got {"item":"a"}'],
  ])('are of a type: %s', (fields, message) => {
    expect(rejectionOf(json(fields))).toEqual({ class: 'invalid-field', message, model, version });
  });

  it('are read and checked in Avro as in JSON', () => {
    const fields = { quantiles: { '0.1': -2, '0.9': 4 }, ranking: ['b', 'a'] };
    expect(check(avro(fields))).toBeNull();
    expect(decode(avro(fields))).toMatchObject(fields);
    expect(check(avro({ quantiles: { '1': 5 } }))?.message).toBe(`${levels} "1"`);
  });

  it('are read from Avro schemas of producers, from JSON Schema, and from Protobuf', async () => {
    const schema = JSON.stringify({
      type: 'record',
      name: 'Scored',
      fields: [
        ...['id', 'model', 'version', 'prediction'].map(name => ({ name, type: 'string' })),
        { name: 'time', type: 'long' },
        { name: 'features', type: { type: 'map', values: 'double' } },
        { name: 'quantiles', type: { type: 'map', values: 'float' } },
        { name: 'ranking', type: { type: 'array', items: 'long' } },
      ],
    });
    const proto = `syntax = "proto3";
      message Scored {
        string id = 1; string model = 2; string version = 3; string prediction = 4; int64 time = 5;
        map<string, double> features = 6; map<string, double> quantiles = 7;
        repeated string ranking = 8;
      }`;
    await using registry = await stubRegistry({
      '/schemas/ids/1': { schema },
      '/schemas/ids/2': { schema: '{"type":"object"}', schemaType: 'JSON' },
      '/schemas/ids/3': { schema: proto, schemaType: 'PROTOBUF' },
    });
    const scored = { ...minimal, quantiles: { '0.1': -2, '0.9': 4 }, ranking: [7, 2] };
    const message = protobuf.parse(proto).root.lookupType('Scored');
    const bytes: [number, Buffer][] = [
      [1, avsc.Type.forSchema(JSON.parse(schema)).toBuffer(scored)],
      [2, Buffer.from(JSON.stringify(scored))],
      [3, inProtobuf(message, { ...scored, ranking: ['7', '2'] })],
      [3, inProtobuf(message, minimal)],
    ];
    const records = bytes.map(([id, value]) => ({
      ...{ topic: 't', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 },
      value: Buffer.concat([Buffer.from([0, 0, 0, 0, id]), value]),
    }));
    await registry.schemas.prepare(records);
    const values = records.map(record => {
      const { value } = decodeRecord(record, 'Prediction', registry.schemas);
      return { quantiles: value?.quantiles, ranking: value?.ranking };
    });
    const expected = { quantiles: scored.quantiles, ranking: ['7', '2'] };
    const absent = { quantiles: null, ranking: null };
    expect(values).toEqual([expected, expected, expected, absent]);
  });
});

/** Writes a message of the first type of its schema. */
function inProtobuf(type: protobuf.Type, content: object): Buffer {
  return Buffer.concat([Buffer.from([0]), type.encode(type.fromObject(content)).finish()]);
}

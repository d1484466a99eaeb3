import { describe, expect, it } from 'vitest';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import { checkPrediction } from '../../../services/shared/records/checkRecord.ts';
import { decodeRecord } from '../../../services/shared/records/decodeRecord.ts';
import { weightOf } from '../../../services/shared/records/weightOf.ts';
import { asWritten } from './contractArbitrary.ts';

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

function decode(value: string | Buffer) {
  const bytes = Buffer.from(value as string);
  const record = { topic: 't', partition: 0, offset: 0, key: null, headers: {}, timestampMs: 0 };
  return decodeRecord({ ...record, value: bytes }, 'Prediction', schemas).value!;
}

/** Writes the minimal record with more fields, as JSON text. */
const json = (fields: string) => `${JSON.stringify(minimal).slice(0, -1)},${fields}}`;
const check = (value: string | Buffer) => checkPrediction(decode(value), minimal.time);

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
    const avro = (fields: object) =>
      Buffer.concat([
        Buffer.from([0, 0, 0, 0, 7]),
        type.toBuffer({ ...(asWritten(decode(JSON.stringify(minimal))) as object), ...fields }),
      ]);
    const weighted = avro({ weight: 3, samplingRate: 0.5 });
    expect(check(weighted)).toBeNull();
    expect(weightOf(decode(weighted))).toBe(6);
    expect(check(avro({ weight: Number.NaN }))?.message).toBe(`weight: ${rangeOfWeight}, got NaN`);
    expect(check(avro({ samplingRate: 7 }))?.message).toBe(`samplingRate: ${rangeOfRate}, got 7`);
  });
});

import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import type { KafkaRecord } from '../../../services/shared/kafka/kafka.ts';
import { checkFeedback, checkPrediction } from '../../../services/shared/records/checkRecord.ts';
import { decodeRecord } from '../../../services/shared/records/decodeRecord.ts';
import { fencedBlocks } from '../../fencedBlocks.ts';
import { asWritten } from '../shared/contractArbitrary.ts';

const page = readFileSync(new URL('../../../docs/producers.md', import.meta.url), 'utf8');
const exampleOf = (kind: string) =>
  fencedBlocks(page).find(block => block.kind === `json ${kind}`)!.text;
const nowMs = Date.UTC(2026, 2, 1);
const schemaId = 7;
/** Knows one schema: the contract itself, as its producer would have registered it. */
const schemas = {
  resolver(contract: string, id: number) {
    const type = contractType(contract);
    const writer = avro.Type.forSchema(
      JSON.parse(JSON.stringify(type.schema({ exportAttrs: true }))),
    );
    return id === schemaId ? { type, resolver: type.createResolver(writer) } : null;
  },
};

function recordOf(value: Buffer, headers: KafkaRecord['headers'] = {}): KafkaRecord {
  return { topic: 't', partition: 0, offset: 0, key: null, value, headers, timestampMs: 0 };
}

function inWireFormat(contract: string, value: unknown): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(schemaId, 1);
  return Buffer.concat([header, contractType(contract).toBuffer(value)]);
}

describe('the examples in docs/producers.md', () => {
  it('are usable records', () => {
    const prediction = decodeRecord(
      recordOf(Buffer.from(exampleOf('prediction'))),
      'Prediction',
      schemas,
    );
    expect(prediction.rejection).toBeUndefined();
    expect(prediction.value).toMatchObject({
      time: Date.UTC(2026, 0, 31, 9, 30),
      segment: { country: 'DE' },
    });
    expect(checkPrediction(prediction.value!, nowMs)).toBeNull();
    const feedback = decodeRecord(
      recordOf(Buffer.from(exampleOf('feedback'))),
      'Feedback',
      schemas,
    );
    expect(feedback.value).toMatchObject({ id: prediction.value!.id, label: 'leaves', value: -40 });
    expect(checkFeedback(feedback.value!, nowMs)).toBeNull();
  });

  it.each([
    ['prediction', 'Prediction'],
    ['feedback', 'Feedback'],
  ] as const)('give the same %s in JSON, as a CloudEvent, and in Avro', (kind, contract) => {
    const { value } = decodeRecord(recordOf(Buffer.from(exampleOf(kind))), contract, schemas);
    const structured = {
      specversion: '1.0',
      id: '1',
      type: 't',
      source: 's',
      data: JSON.parse(exampleOf(kind)),
    };
    const binary = { ce_specversion: '1.0', ce_id: '1', ce_type: 't', ce_source: 's' };
    const encodings = [
      recordOf(Buffer.from(JSON.stringify(structured)), {
        'content-type': 'application/cloudevents+json',
      }),
      recordOf(Buffer.from(exampleOf(kind)), binary),
      recordOf(inWireFormat(contract, asWritten(value))),
    ];
    for (const record of encodings)
      expect(decodeRecord(record, contract, schemas).value).toEqual(value);
  });

  it('are refused with the class that the page names when a required field is missing', () => {
    for (const field of ['id', 'model', 'version', 'time', 'features', 'prediction']) {
      const { [field]: _, ...rest } = JSON.parse(exampleOf('prediction'));
      const { rejection } = decodeRecord(
        recordOf(Buffer.from(JSON.stringify(rest))),
        'Prediction',
        schemas,
      );
      expect(rejection).toMatchObject({ class: 'invalid-field', message: `${field}: is missing` });
    }
  });
});

import avro from 'avsc';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { avroTypeHook } from '../../../services/shared/avro/avroTypeHook.ts';
import { parseSchema } from '../../../services/shared/avro/parsedSchema.ts';
import { resolveSchema } from '../../../services/shared/avro/resolveSchema.ts';
import {
  contractType,
  contractTypes,
  type ResolvedSchema,
} from '../../../services/shared/avro/schemaRegistry.ts';
import type { Feedback, Prediction } from '../../../services/shared/contracts.ts';
import type { KafkaHeaders } from '../../../services/shared/kafka/kafka.ts';
import { loggedPrediction } from '../../../services/shared/profile/features.ts';
import { checkFeedback, checkPrediction } from '../../../services/shared/records/checkRecord.ts';
import {
  type ContractName,
  type Decoded,
  type DecodedContracts,
  decodeRecord,
  maxRecordBytes,
} from '../../../services/shared/records/decodeRecord.ts';
import { epochMs } from '../../../services/shared/records/eventTime.ts';
import { asWritten, contractArbitrary, mapOf, text } from './contractArbitrary.ts';

const contracts = [...contractTypes.keys()] as ContractName[];
const wireHeader = Buffer.from([0, 0, 0, 0, 7]);
const framed = (bytes: Uint8Array) => Buffer.concat([wireHeader, bytes]);

/**
 * Returns the contract as the schema of a producer. It is another type with the same meaning, so
 * that values have to be resolved.
 */
function writerOf(
  contract: string,
  changed: (schema: avro.schema.RecordType) => avro.Schema = schema => schema,
) {
  const schema = contractType(contract).schema({ exportAttrs: true }) as avro.schema.RecordType;
  return avro.Type.forSchema(changed(schema), { typeHook: avroTypeHook });
}

function resolverOf(contract: string, writer = writerOf(contract)): ResolvedSchema {
  const text = JSON.stringify(writer.schema({ exportAttrs: true }));
  return resolveSchema(contract, parseSchema('AVRO', text));
}

/** Returns a value as it is decoded: its time in ms, whatever unit the number must have been in. */
function withTimeInMs<T extends object>(value: T): T {
  return 'time' in value ? { ...value, time: epochMs(value.time as number) } : value;
}

const resolvers = new Map(contracts.map(contract => [contract, resolverOf(contract)]));

function decode<Name extends ContractName>(
  value: Buffer,
  contract: Name,
  headers: KafkaHeaders = {},
  resolver: ResolvedSchema = resolvers.get(contract)!,
): Decoded<DecodedContracts[Name]> {
  return decodeRecord(
    { topic: 't', partition: 0, offset: 0, key: null, value, headers, timestampMs: 0 },
    contract,
    {
      resolver: () => resolver,
    },
  );
}

/** Expects a value that survives being written and read again, or a rejection that says why. */
function expectUsableOrRejected(decoded: Decoded<unknown>, contract: ContractName): void {
  if (decoded.rejection) {
    expect(decoded.rejection.class).toMatch(
      /^(malformed-(json|avro)|invalid-field|null-value|too-large)$/,
    );
    expect(decoded.rejection.message.length).toBeGreaterThan(0);
    expect(decoded.rejection.message.length).toBeLessThan(1_000);
    return;
  }
  if (holdsWhatAvscCannotWrite(decoded.value)) return;
  const again = decode(framed(contractType(contract).toBuffer(asWritten(decoded.value))), contract);
  expect(again.value).toEqual(decoded.value);
}

/**
 * Returns whether a value holds a whole number that avsc writes as another number. As a time it
 * would be rejected, so it can be left out.
 */
function holdsWhatAvscCannotWrite(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) > 2 ** 52;
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).some(holdsWhatAvscCannotWrite)
  );
}

/**
 * Counts the steps in which avsc reads and skips values, so that an endless decoder fails here
 * instead of hanging.
 */
function countSteps(): { mostSteps: number; steps: number } {
  const counted = { mostSteps: Number.POSITIVE_INFINITY, steps: 0 };
  let tap: object | undefined;
  const probe = avro.Type.forSchema({ type: 'array', items: 'int' }, { typeHook: avroTypeHook });
  const { itemsType } = probe as avro.types.ArrayType;
  const spied = vi.spyOn(Object.getPrototypeOf(itemsType), '_read').mockImplementation(from => {
    tap = Object.getPrototypeOf(from);
    return 0;
  });
  probe.fromBuffer(Buffer.from([2, 0]));
  spied.mockRestore();
  const step = () => {
    if (++counted.steps > counted.mostSteps) throw new Error('more steps than bytes allow');
  };
  const targets: [object, string][] = [
    ...['readLong', 'skipLong', 'readString', 'skipString'].map(
      name => [tap!, name] as [object, string],
    ),
    [avro.types.NullType.prototype, '_read'],
    [avro.types.NullType.prototype, '_skip'],
  ];
  for (const [target, name] of targets) {
    const original = (target as Record<string, (...given: unknown[]) => unknown>)[name]!;
    vi.spyOn(target as Record<string, () => unknown>, name).mockImplementation(function (
      this: unknown,
      ...given: unknown[]
    ) {
      step();
      return original.apply(this, given);
    });
  }
  return counted;
}

/**
 * Numbers in Avro's encoding. Some are far too large, some are negative, and some bytes are no
 * number.
 */
const wildLong = fc.constantFrom(
  [0x01],
  [0x7f],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [...new Array(200).fill(0x80), 0],
);

type Damage = (bytes: Buffer) => Buffer;
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]) => (bytes: Buffer) => {
    const flipped = Buffer.from(bytes);
    if (bytes.length > 0) flipped[at % bytes.length]! ^= 1 << bit;
    return flipped;
  }),
  fc.nat().map(at => (bytes: Buffer) => bytes.subarray(0, at % (bytes.length + 1))),
  fc
    .tuple(
      fc.nat(),
      fc.oneof(wildLong, fc.array(fc.nat(255), { minLength: 1, maxLength: 9 })),
      fc.boolean(),
    )
    .map(([at, inserted, replace]) => (bytes: Buffer) => {
      const place = at % (bytes.length + 1);
      return Buffer.concat([
        bytes.subarray(0, place),
        Buffer.from(inserted),
        bytes.subarray(place + (replace ? inserted.length : 0)),
      ]);
    }),
);
const damages = fc.array(damage, { minLength: 1, maxLength: 3 });
const damaged = (bytes: Buffer, all: readonly Damage[]) =>
  all.reduce((left, one) => one(left), bytes);

const header = fc.oneof(
  text,
  text.map(value => Buffer.from(value)),
  fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map(bytes => Buffer.from(bytes)),
  fc
    .uint8Array({ minLength: 4, maxLength: 20 })
    .map(bytes => Buffer.from([bytes.length % 2, ...bytes])),
  fc.array(text, { maxLength: 3 }),
  fc.constant(undefined),
  fc.constantFrom(
    'application/cloudevents+json',
    'application/cloudevents+avro',
    'application/json; charset=utf-8',
  ),
);
const headerNames = [
  'content-type',
  'ce_specversion',
  'ce_id',
  '__value_schema_id',
  'apicurio.value.globalId',
  'apicurio.value.contentId',
];
const headers: fc.Arbitrary<KafkaHeaders> = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...headerNames), text), header), { maxLength: 4 })
  .map(entries => Object.fromEntries(entries));

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(contracts)('%s', contract => {
  it('decodes random bytes and headers to a value or a rejection', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        headers,
        (bytes, framing, given) => {
          const value = framing ? framed(bytes) : Buffer.from(bytes);
          expectUsableOrRejected(decode(value, contract, given), contract);
        },
      ),
    );
  });

  it('decodes damaged Avro to a value or a rejection, in a number of steps proportional to its bytes', () => {
    const counted = countSteps();
    fc.assert(
      fc.property(contractArbitrary(contract), damages, (value, all) => {
        const bytes = damaged(contractType(contract).toBuffer(value), all);
        counted.steps = 0;
        counted.mostSteps = 3 * bytes.length + 100;
        const decoded = decode(framed(bytes), contract);
        expect(counted.steps).toBeLessThanOrEqual(counted.mostSteps);
        counted.mostSteps = Number.POSITIVE_INFINITY;
        expectUsableOrRejected(decoded, contract);
      }),
      { numRuns: 300 },
    );
  });

  it('decodes damaged JSON to a value or a rejection', () => {
    fc.assert(
      fc.property(contractArbitrary(contract), damages, headers, (value, all, given) => {
        const bytes = damaged(Buffer.from(JSON.stringify(value)), all);
        expectUsableOrRejected(decode(bytes, contract, given), contract);
      }),
    );
  });

  it('survives a round trip through Avro', () => {
    fc.assert(
      fc.property(contractArbitrary<object>(contract), value => {
        const decoded = decode(framed(contractType(contract).toBuffer(value)), contract);
        const isOfProducer = [
          'Prediction',
          'Feedback',
          'RetrainRequest',
          'VersionRequest',
          'DriftRequest',
          'AlertRequest',
        ].includes(contract);
        expect(asWritten(decoded.value)).toEqual(isOfProducer ? withTimeInMs(value) : value);
      }),
    );
  });
});

describe('fields that the contract does not have', () => {
  const extra: [string, avro.Schema][] = [
    ['array of null', { type: 'array', items: 'null' }],
    ['array of long', { type: 'array', items: 'long' }],
    ['map of text', { type: 'map', values: 'string' }],
    [
      'array of maps of arrays',
      { type: 'array', items: { type: 'map', values: { type: 'array', items: 'null' } } },
    ],
  ];
  it.each(extra)('are skipped in a number of steps proportional to their bytes: %s', (_, type) => {
    const writer = writerOf('Feedback', schema => ({
      ...schema,
      fields: [{ name: 'extra', type }, ...schema.fields],
    }));
    const resolver = resolverOf('Feedback', writer);
    const feedback = { id: 'a', model: 'm', label: 'yes', value: null, time: Date.UTC(2026, 0, 1) };
    const { type: extraType } = (writer as avro.types.RecordType).fields[0]!;
    const counted = countSteps();
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.array(wildLong, { maxLength: 3 }),
        damages,
        fc.boolean(),
        (size, wild, all, intact) => {
          const items =
            extraType.typeName === 'map'
              ? Object.fromEntries(Array.from({ length: size }, (_, item) => [`k${item}`, 'v']))
              : Array.from({ length: size }, (_, item) =>
                  itemOf(type as avro.schema.ArrayType, item),
                );
          const whole = writer.toBuffer({ ...feedback, extra: items });
          const bytes = intact
            ? whole
            : damaged(Buffer.concat([Buffer.from(wild.flat()), whole]), all);
          counted.steps = 0;
          counted.mostSteps = 3 * bytes.length + 100;
          const decoded = decode(framed(bytes), 'Feedback', {}, resolver);
          expect(counted.steps).toBeLessThanOrEqual(counted.mostSteps);
          counted.mostSteps = Number.POSITIVE_INFINITY;
          if (intact) expect({ ...decoded.value }).toEqual(feedback);
          else expectUsableOrRejected(decoded, 'Feedback');
        },
      ),
      { numRuns: 300 },
    );
  });

  function itemOf({ items }: avro.schema.ArrayType, item: number): unknown {
    if (items === 'null') return null;
    return items === 'long' ? item : { k: [null, null] };
  }
});

describe('JSON', () => {
  const levels = 100_000;
  const deepList = '['.repeat(levels) + ']'.repeat(levels);
  const deepObject = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const fields =
    '"id":"a","model":"m","version":"1","time":1767225600000,"prediction":"\\ud83d\\ude00"';

  it.each([
    ['a list for everything', deepList],
    ['an object for everything', deepObject],
    ['features', `{${fields},"features":{"a":${deepList}}}`],
    ['all features', `{${fields},"features":${deepList}}`],
    ['a segment', `{${fields},"features":{},"segment":{"a":${deepObject}}}`],
    ['data of an event', `{"specversion":"1.0","data":${deepList}}`],
  ])('is rejected if it is a hundred thousand levels deep: %s', (_, json) => {
    const { rejection } = decode(Buffer.from(json), 'Prediction');
    expect(rejection).toMatchObject({
      class: 'invalid-field',
      message: expect.stringMatching(/too deep|missing/),
    });
    expect(rejection!.message.length).toBeLessThan(300);
  });

  it.each([
    ['an id of many digits', fields.replace('"a"', '9007199254740993')],
    ['a number that is none', `${fields},"score":NaN`],
  ])('is read or rejected if it is deep and has %s', (_, some) => {
    const content = Buffer.from(`{${some},"features":{},"extra":${deepList}}`);
    for (const json of [content, Buffer.from(`{"specversion":"1.0","data":${content}}`)])
      expectUsableOrRejected(decode(json, 'Prediction'), 'Prediction');
  });

  it('is read if it is deep only in a field that the contract does not have', () => {
    const decoded = decode(
      Buffer.from(`{${fields},"features":{},"extra":${deepList}}`),
      'Prediction',
    );
    expect(decoded.value?.prediction).toBe('😀');
  });

  it('is rejected if it nests events within events up to the size limit', () => {
    let event: string = JSON.stringify({ specversion: '1.0' });
    for (;;) {
      const around = JSON.stringify({
        specversion: '1.0',
        data_base64: Buffer.from(event).toString('base64'),
      });
      if (around.length > maxRecordBytes) break;
      event = around;
    }
    expect(decode(Buffer.from(event), 'Prediction').rejection?.class).toBe('invalid-field');
  });
});

describe('every encoding', () => {
  /**
   * Keeps only numbers that JSON can represent. JSON has no NaN and no infinity, and JSON.stringify
   * writes -0 as 0.
   */
  const json = (value: unknown) =>
    JSON.parse(
      JSON.stringify(value, (_, part) => (Object.is(part, -0) ? 0 : part)),
      (_, part) => part,
    );
  const asJson = contractArbitrary<Prediction>('Prediction').map(value => json(value));

  it('gives the same prediction, in Avro, JSON, and CloudEvents in binary, structured and base64 form', () => {
    const type = contractType('Prediction');
    fc.assert(
      fc.property(
        asJson.filter(value => type.isValid(value)),
        value => {
          const plain = Buffer.from(JSON.stringify(value));
          const attributes = { specversion: '1.0', id: '1', type: 't', source: 's' };
          const binary = { ce_specversion: '1.0', ce_id: '1', 'content-type': 'application/json' };
          const structured = { 'content-type': 'application/cloudevents+json' };
          const forms: [Buffer, KafkaHeaders][] = [
            [framed(type.toBuffer(value)), {}],
            [framed(type.toBuffer(value)), { ...binary, 'content-type': 'application/avro' }],
            [plain, {}],
            [plain, binary],
            [Buffer.from(JSON.stringify({ ...attributes, data: value })), {}],
            [Buffer.from(JSON.stringify({ ...attributes, data: value })), structured],
            [
              Buffer.from(JSON.stringify({ ...attributes, data_base64: plain.toString('base64') })),
              structured,
            ],
          ];
          for (const [bytes, given] of forms) {
            const decoded = decode(bytes, 'Prediction', given);
            expect(decoded.rejection).toBeUndefined();
            expect(asWritten(decoded.value)).toEqual(withTimeInMs(value));
          }
        },
      ),
    );
  });

  it('of a damaged event gives a value or a rejection', () => {
    const attribute = fc.oneof(fc.string(), fc.constant(null), fc.integer(), fc.jsonValue());
    const event = fc
      .tuple(
        asJson,
        fc.constantFrom('data', 'data_base64', 'both', 'none'),
        mapOf(attribute),
        fc.jsonValue(),
      )
      .map(([value, form, attributes, other]) => {
        const plain = Buffer.from(JSON.stringify(value)).toString('base64');
        const data = {
          data: { data: value },
          data_base64: { data_base64: plain },
          both: { data: other, data_base64: plain },
        };
        return {
          specversion: '1.0',
          ...attributes,
          ...(form === 'none' ? {} : data[form as keyof typeof data]),
        };
      });
    fc.assert(
      fc.property(event, fc.array(damage, { maxLength: 3 }), headers, (content, all, given) => {
        const bytes = damaged(Buffer.from(JSON.stringify(content)), all);
        expectUsableOrRejected(decode(bytes, 'Prediction', given), 'Prediction');
      }),
    );
  });
});

describe('checks beyond the type', () => {
  const nowMs = Date.UTC(2026, 0, 1);
  it('accept a prediction or say what is wrong, with the names as they are', () => {
    fc.assert(
      fc.property(contractArbitrary<Prediction>('Prediction'), prediction => {
        const rejection = checkPrediction(loggedPrediction(prediction), nowMs);
        const { id, model, version, time } = prediction;
        const output = prediction.prediction;
        const usable =
          [id, model, version].every(name => name.length >= 1 && name.length <= 256) &&
          (typeof output !== 'number' || Number.isFinite(output)) &&
          time >= Date.UTC(1980, 0, 1) &&
          time <= nowMs + 3_600_000;
        expect(rejection === null).toBe(usable);
        if (rejection)
          expect(rejection).toMatchObject({
            model,
            version,
            message: expect.stringMatching(/^\w+: /),
          });
      }),
      { numRuns: 300 },
    );
  });

  it('accept feedback or say what is wrong', () => {
    const plausible = fc.record({
      time: fc.integer({ min: Date.UTC(1979, 0, 1), max: nowMs + 7_200_000 }),
    });
    fc.assert(
      fc.property(contractArbitrary<Feedback>('Feedback'), plausible, (drawn, { time }) => {
        const feedback = { ...drawn, time };
        const names = [feedback.id, ...(feedback.model === null ? [] : [feedback.model])];
        const numbers = [feedback.label, feedback.value].filter(value => typeof value === 'number');
        const usable =
          names.every(name => name.length >= 1 && name.length <= 256) &&
          numbers.every(Number.isFinite) &&
          time >= Date.UTC(1980, 0, 1) &&
          time <= nowMs + 3_600_000;
        expect(checkFeedback(feedback, nowMs) === null).toBe(usable);
      }),
      { numRuns: 300 },
    );
  });
});

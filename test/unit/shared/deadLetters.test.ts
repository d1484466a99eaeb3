import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { KafkaHeaders } from '../../../services/shared/kafka/kafka.ts';
import {
  type DeadLetterClass,
  deadLetterOrigin,
  deadLetterRecord,
  maxDeadLetterBytes,
} from '../../../services/shared/service/deadLetters.ts';
import { mapOf, text } from './contractArbitrary.ts';

const bytes = fc.uint8Array({ maxLength: 30 }).map(array => Buffer.from(array));
const headers: fc.Arbitrary<KafkaHeaders> = mapOf(
  fc.oneof(text, bytes, fc.constant(null), fc.array(bytes, { maxLength: 3 })),
);
const letter = fc.record({
  record: fc.record({
    topic: text,
    partition: fc.nat(1000),
    offset: fc.maxSafeNat(),
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers,
    timestampMs: fc.nat(),
  }),
  rejection: fc.record(
    {
      class: fc.constantFrom<DeadLetterClass>('malformed-json', 'too-late'),
      message: text,
      model: text,
      version: text,
    },
    { requiredKeys: ['class', 'message'] },
  ),
});

it('makes a dead letter that names its origin and preserves the key, value and headers of the producer', () => {
  fc.assert(
    fc.property(letter, ({ record, rejection }) => {
      const sent = deadLetterRecord('dead-letters', 'profiler', { record, rejection });
      expect([sent.key, sent.value]).toEqual([record.key, record.value]);
      const received = { ...record, topic: 'dead-letters', offset: 0, headers: sent.headers! };
      expect(deadLetterOrigin(received)).toEqual({
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        class: rejection.class,
        model: rejection.model,
        isBatch: false,
        leftOut: null,
        headers: record.headers,
      });
    }),
  );
});

it('leaves out headers of a producer that look like those of a dead letter', () => {
  const record = {
    ...{ topic: 't', partition: 0, offset: 1, key: null, value: null, timestampMs: 0 },
    headers: { '__connect.errors.model': 'another', trace: 'x' },
  };
  const sent = deadLetterRecord('dead-letters', 'profiler', {
    record,
    rejection: { class: 'malformed-json', message: '' },
  });
  const origin = deadLetterOrigin({ ...record, headers: sent.headers! });
  expect(origin).toMatchObject({ model: undefined, headers: { trace: 'x' } });
});

it('leaves out what is larger than the topic dead-letters takes, and says so', () => {
  const value = Buffer.alloc(maxDeadLetterBytes);
  const record = {
    ...{ topic: 't', partition: 0, offset: 1, key: Buffer.from('k'), value, timestampMs: 0 },
    headers: { trace: 'x' },
  };
  const rejection = { class: 'too-large', message: '' } as const;
  const sent = deadLetterRecord('dead-letters', 'profiler', { record, rejection });
  expect([sent.key, sent.value]).toEqual([record.key, null]);
  expect(deadLetterOrigin({ ...record, headers: sent.headers! })).toMatchObject({
    leftOut: `value of ${value.length} bytes`,
    headers: { trace: 'x' },
  });
});

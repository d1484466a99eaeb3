import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { KafkaHeaders } from '../../../services/shared/kafka/kafka.ts';
import type { RejectionClass } from '../../../services/shared/records/decodeRecord.ts';
import {
  deadLetterOrigin,
  deadLetterRecord,
} from '../../../services/shared/service/deadLetters.ts';
import { mapOf, text } from './contractArbitrary.ts';

const bytes = fc.uint8Array({ maxLength: 30 }).map(array => Buffer.from(array));
const headers: fc.Arbitrary<KafkaHeaders> = mapOf(
  fc.oneof(text, bytes, fc.array(bytes, { maxLength: 3 })),
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
      class: fc.constantFrom<RejectionClass>('malformed-json', 'too-late'),
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
        headers: record.headers,
      });
    }),
  );
});

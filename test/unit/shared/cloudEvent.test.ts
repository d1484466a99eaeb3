import fc from 'fast-check';
import { expect, it } from 'vitest';
import { contractType } from '../../../services/shared/avro/schemaRegistry.ts';
import type { Alert } from '../../../services/shared/contracts.ts';
import { cloudEvent } from '../../../services/shared/kafka/cloudEvent.ts';
import { decodeRecord } from '../../../services/shared/records/decodeRecord.ts';
import { contractArbitrary } from './contractArbitrary.ts';

const type = contractType('Alert');
const schemas = { resolver: () => ({ type, resolver: type.createResolver(type) }) };

it('decodes a CloudEvent to the value it was made from, with an id that does not depend on the time', () => {
  fc.assert(
    fc.property(
      contractArbitrary<Alert>('Alert'),
      fc.date({ noInvalidDate: true }),
      (alert, date) => {
        const emit = (timeMs: number) =>
          cloudEvent({
            topic: 'alerts',
            key: alert.model,
            type: 'io.driftloop.alert',
            source: 'detector',
            identity: [alert.id, alert.revision],
            subject: alert.model,
            timeMs,
            value: Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), type.toBuffer(alert)]),
          });
        const event = emit(date.getTime());
        expect(emit(0).headers!.ce_id).toBe(event.headers!.ce_id);
        expect(Date.parse(String(event.headers!.ce_time))).toBe(date.getTime());
        const record = {
          ...event,
          key: Buffer.from(alert.model),
          partition: 0,
          offset: 0,
          timestampMs: 0,
        };
        const decoded = decodeRecord({ ...record, headers: event.headers! }, 'Alert', schemas);
        expect({ ...decoded.value }).toEqual(alert);
      },
    ),
  );
});

import type { SchemaClient } from '../avro/schemaRegistry.ts';
import type { KafkaRecord } from '../kafka/kafka.ts';
import {
  type ContractName,
  type DecodedContracts,
  decodeRecord,
  type Rejection,
} from '../records/decodeRecord.ts';
import type { DeadLetterSink } from './deadLetterSink.ts';

/** A record with its value as the type of its contract. */
export interface DecodedRecord<T> {
  value: T;
  record: KafkaRecord;
}

/**
 * Decodes records of one topic. Returns those that can be used, in their order, and adds the others
 * to the dead letters.
 * @param check finds what the type alone cannot say, and returns null for a value that can be used
 */
export async function decodeOrDeadLetter<Name extends ContractName>(
  records: readonly KafkaRecord[],
  contract: Name,
  {
    schemas,
    deadLetters,
  }: {
    schemas: Pick<SchemaClient, 'prepare' | 'resolver'>;
    deadLetters: Pick<DeadLetterSink, 'add'>;
  },
  check: (value: DecodedContracts[Name]) => Rejection | null = () => null,
): Promise<DecodedRecord<DecodedContracts[Name]>[]> {
  await schemas.prepare(records);
  const usable: DecodedRecord<DecodedContracts[Name]>[] = [];
  for (const record of records) {
    const decoded = decodeRecord(record, contract, schemas);
    const rejection = decoded.rejection ?? check(decoded.value);
    if (rejection) deadLetters.add({ record, rejection });
    else usable.push({ value: decoded.value!, record });
  }
  return usable;
}

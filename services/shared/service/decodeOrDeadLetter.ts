import type { SchemaClient } from '../avro/schemaRegistry.ts';
import type { Settings } from '../config/settings.ts';
import type { KafkaRecord } from '../kafka/kafka.ts';
import type { SetAsideBatch } from '../kafka/protocol/recordSet.ts';
import {
  type ContractName,
  type DecodedContracts,
  decodeMapped,
  decodeRecord,
  type Rejection,
} from '../records/decodeRecord.ts';
import type { DeadLetterSink } from './deadLetterSink.ts';
import type { DeadLetter } from './deadLetters.ts';

/** A record with its value as the type of its contract. */
export interface DecodedRecord<T> {
  value: T;
  record: KafkaRecord;
  /** Which of the values of its record it is, from 0 on. */
  row: number;
}

interface Decoding {
  schemas: Pick<SchemaClient, 'prepare' | 'resolver'>;
  deadLetters: Pick<DeadLetterSink, 'add'>;
  settings?: Pick<Settings, 'inputs'>;
}

/**
 * Decodes records of one topic. Returns those that can be used, in their order, and adds the others
 * to the dead letters.
 * @param check finds what the type alone cannot say, and returns null for a value that can be used
 */
export async function decodeOrDeadLetter<Name extends ContractName>(
  records: readonly KafkaRecord[],
  contract: Name,
  { schemas, deadLetters, settings }: Decoding,
  check: (value: DecodedContracts[Name]) => Rejection | null = () => null,
): Promise<DecodedRecord<DecodedContracts[Name]>[]> {
  await schemas.prepare(records.filter(({ setAside }) => !setAside));
  const mapping = settings?.inputs.find(
    ({ topic, kind }) => topic === records[0]?.topic && kind === contract.toLowerCase(),
  );
  const usable: DecodedRecord<DecodedContracts[Name]>[] = [];
  for (const record of records) {
    if (record.setAside) {
      deadLetters.add({ record, rejection: batchRejection(record, record.setAside) });
      continue;
    }
    if (mapping) {
      const { value: values, rejection } = decodeMapped(record, contract, schemas, mapping);
      const refused = rejection ?? firstRejection(values, check);
      if (refused) deadLetters.add({ record, rejection: refused });
      else for (const [row, value] of values!.entries()) usable.push({ value, record, row });
      continue;
    }
    const decoded = decodeRecord(record, contract, schemas);
    const rejection = decoded.rejection ?? check(decoded.value);
    if (rejection) deadLetters.add({ record, rejection });
    else usable.push({ value: decoded.value!, record, row: 0 });
  }
  return usable;
}

function batchRejection(
  { value }: KafkaRecord,
  { class: rejectionClass, reason, firstOffset }: SetAsideBatch,
): DeadLetter['rejection'] {
  return {
    class: rejectionClass,
    message: `a batch of ${value?.length ?? 0} bytes from offset ${firstOffset} on is set aside whole: ${reason}`,
  };
}

function firstRejection<T>(
  values: readonly T[],
  check: (value: T) => Rejection | null,
): Rejection | null {
  for (const value of values) {
    const rejection = check(value);
    if (rejection) return rejection;
  }
  return null;
}

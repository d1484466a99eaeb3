import type { KafkaRecord } from '../kafka/kafka.ts';
import {
  type ContractName,
  type DecodedContracts,
  decodeRecord,
  type Rejection,
} from '../records/decodeRecord.ts';
import type { ServiceContext } from './service.ts';

/** A record with its value as the type of its contract. */
export interface UsableRecord<T> {
  value: T;
  record: KafkaRecord;
}

/**
 * The records of one topic that can be used, in their order; the others go to dead-letters.
 * @param check what the type alone cannot say
 */
export async function usableRecords<Name extends ContractName>(
  records: readonly KafkaRecord[],
  contract: Name,
  { schemas, deadLetters }: Pick<ServiceContext, 'schemas' | 'deadLetters'>,
  check: (value: DecodedContracts[Name]) => Rejection | null = () => null,
): Promise<UsableRecord<DecodedContracts[Name]>[]> {
  await schemas.prepare(
    contract,
    records.map(({ value }) => value),
  );
  const usable: UsableRecord<DecodedContracts[Name]>[] = [];
  for (const record of records) {
    const decoded = decodeRecord(record, contract, schemas);
    const rejection = decoded.rejection ?? check(decoded.value);
    if (rejection) deadLetters.add({ record, rejection });
    else usable.push({ value: decoded.value!, record });
  }
  return usable;
}

import type { FieldSource, InputMapping } from '../config/inputs.ts';
import { contractValue } from './contractValue.ts';
import type { ContractName, Decoded, DecodedContracts, Rejection } from './decodeRecord.ts';
import { MappingError, mapContent } from './mapContent.ts';

/** Reads an object of another form as the values of a contract that a mapping finds in it. */
export function mappedValues<Name extends ContractName>(
  content: unknown,
  contract: Name,
  mapping: InputMapping,
): Decoded<DecodedContracts[Name][]> {
  let rows: unknown[];
  try {
    rows = mapContent(content, mapping);
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
    return { rejection: { class: 'invalid-field', message: error.message } };
  }
  const values: DecodedContracts[Name][] = [];
  for (const [index, row] of rows.entries()) {
    const { value, rejection } = contractValue(row, contract);
    if (rejection)
      return { rejection: withPlace(rejection, mapping, rows.length > 1 ? index : null) };
    values.push(value);
  }
  return { value: values };
}

/** Says also where in the record the field was looked for. */
function withPlace(rejection: Rejection, { fields }: InputMapping, row: number | null): Rejection {
  const [field] = rejection.message.split(/[.:]/, 1);
  const source = Object.hasOwn(fields, field!) ? fields[field!] : undefined;
  const place = source === undefined ? '' : ` (read from ${shown(source)})`;
  return {
    ...rejection,
    message: `${row === null ? '' : `row ${row}: `}${rejection.message}${place}`,
  };
}

function shown(source: FieldSource): string {
  return typeof source === 'string' ? source : JSON.stringify(source).slice(0, 100);
}

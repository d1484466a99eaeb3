import type avro from 'avsc';
import { contractType } from '../avro/contractTypes.ts';
import { snakeCase } from '../avro/resolveSchema.ts';
import { featuresOf } from '../profile/features.ts';
import type { ContractName, Decoded, DecodedContracts, Rejection } from './decodeRecord.ts';
import { acceptedTimes, eventTimeMs } from './eventTime.ts';
import { FlatteningError, flattenedFeatures } from './flattenedFeatures.ts';

/**
 * Reads an object that a producer wrote, in whatever format, as the type of a contract. Names,
 * versions and ids may be whole numbers, numbers may be text, times may have any form of
 * `eventTimeMs`, objects among the features are flattened, and fields may be written in snake case.
 * The result is checked against the Avro type of the contract.
 */
export function contractValue<Name extends ContractName>(
  content: unknown,
  contract: Name,
): Decoded<DecodedContracts[Name]> {
  if (!isObject(content))
    return invalid(`expected an object with the fields of ${contract}, got ${shown(content)}`);
  const type = contractType(contract) as avro.types.RecordType;
  const value: Record<string, unknown> = {};
  try {
    for (const field of fieldsOf(contract, type))
      value[field.name] = fieldValue(field, valueIn(content, field));
  } catch (error) {
    if (error instanceof FlatteningError) return invalid(error.message, content);
    throw error;
  }
  const mistake = mistakeIn(value, type);
  if (mistake !== null) return invalid(mistake, content);
  // The Avro type reads features as names and values.
  if (contract === 'Prediction') value.features = featuresOf(value.features as never);
  return { value: value as unknown as DecodedContracts[Name] };
}

function invalid(message: string, content: Record<string, unknown> = {}): { rejection: Rejection } {
  return { rejection: { class: 'invalid-field', message, ...namesIn(content) } };
}

/**
 * Returns whether a parsed JSON value has an id or a name that is a number of more digits than a
 * number holds, so that the text has to be read again.
 */
export function needsDigits(content: unknown): boolean {
  if (!isObject(content)) return false;
  const { id, model, version } = content;
  return losesDigits(id) || losesDigits(model) || losesDigits(version);
}

function losesDigits(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** A field of a contract, and how its value is read. */
interface Field {
  name: string;
  /** Its name in Protobuf and Python. */
  otherName: string;
  byDefault: unknown;
  kind: (typeof fieldsOfTheirKind)[number] | 'text' | 'number' | 'flag' | 'any';
}

/** Fields that are read in a way of their own. */
const fieldsOfTheirKind = [
  'time',
  'segment',
  'features',
  'probabilities',
  'quantiles',
  'ranking',
] as const;

const fieldsByContract = new Map<string, Field[]>();

function fieldsOf(contract: string, type: avro.types.RecordType): Field[] {
  const known = fieldsByContract.get(contract);
  if (known) return known;
  const fields = type.fields.map(field => ({
    name: field.name,
    otherName: snakeCase(field.name),
    byDefault: field.defaultValue(),
    kind: kindOf(field),
  }));
  fieldsByContract.set(contract, fields);
  return fields;
}

function kindOf({ name, type }: avro.types.Field): Field['kind'] {
  const own = fieldsOfTheirKind.find(kind => kind === name);
  if (own) return own;
  if (isOnly('string', type)) return 'text';
  if (isOnly('boolean', type)) return 'flag';
  return isOnly('double', type) ? 'number' : 'any';
}

/** Returns whether a type is this one, or this one or null. */
function isOnly(name: string, type: avro.Type): boolean {
  const types = (type as Partial<avro.types.UnwrappedUnionType>).types ?? [type];
  return types.every(({ typeName }) => typeName === name || typeName === 'null');
}

function valueIn(content: Record<string, unknown>, field: Field): unknown {
  const { name, otherName, byDefault } = field;
  // No field is called like what every object inherits.
  const own = content[name] === undefined ? content[otherName] : content[name];
  return (own === null || own === undefined) && byDefault !== undefined ? byDefault : own;
}

function fieldValue({ kind }: Field, value: unknown): unknown {
  switch (kind) {
    case 'time':
      return eventTimeMs(value) ?? value;
    case 'segment':
      return isObject(value) ? mapOfText(value) : value;
    case 'features':
      return isObject(value) ? flattenedFeatures(value) : value;
    case 'probabilities':
    case 'quantiles':
      return isObject(value) ? mapOfNumbers(value) : value;
    case 'ranking':
      return Array.isArray(value)
        ? value.map(item => (isScalar(item) ? String(item) : item))
        : value;
    case 'text':
      return typeof value === 'number' || typeof value === 'bigint'
        ? wholeNumberText(value)
        : value;
    case 'number':
      if (typeof value === 'string') return numberOf(value);
      break;
    case 'flag':
      if (value === 'true' || value === 'false') return value === 'true';
  }
  return typeof value === 'bigint' ? Number(value) : value;
}

function wholeNumberText(value: number | bigint): unknown {
  return typeof value === 'bigint' || Number.isInteger(value) ? String(value) : value;
}

function numberOf(text: string): unknown {
  return /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : text;
}

function mapOfText(content: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(content)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, isScalar(value) ? String(value) : value]),
  );
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
}

function mapOfNumbers(content: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(content).map(([name, value]) => [
      name,
      typeof value === 'string' ? numberOf(value) : value,
    ]),
  );
}

/** Returns what is wrong with the first field that does not fit; null when all fit. */
function mistakeIn(value: Record<string, unknown>, type: avro.types.RecordType): string | null {
  let mistake: string | null = null;
  const isValid = type.isValid(value, {
    errorHook: (path: string[], part: unknown, partType: avro.Type) => {
      mistake ??=
        part === undefined
          ? `${path.join('.')}: is missing`
          : `${path.join('.')}: expected ${expectedOf(path, partType)}, got ${shown(part)}`;
    },
  });
  return isValid ? null : (mistake ?? `not ${type.name}`);
}

function expectedOf([field]: string[], type: avro.Type): string {
  if (field === 'time') return acceptedTimes;
  if (['id', 'model', 'version', 'codeVersion'].includes(field!)) return 'text or a whole number';
  return named(type);
}

function named(type: avro.Type): string {
  const { typeName } = type;
  if (typeName.startsWith('union:'))
    return (type as avro.types.UnwrappedUnionType).types.map(named).join(' or ');
  if (typeName === 'long' || typeName === 'int') return 'a whole number';
  if (typeName === 'double') return 'a number';
  if (typeName === 'map') return 'an object';
  if (typeName === 'array') return 'a list';
  return typeName === 'string' ? 'text' : typeName;
}

function namesIn({
  model,
  version,
}: Record<string, unknown>): Pick<Rejection, 'model' | 'version'> {
  return { ...nameIn('model', model), ...nameIn('version', version) };
}

function nameIn(field: 'model' | 'version', value: unknown): Pick<Rejection, 'model' | 'version'> {
  if (typeof value === 'string') return { [field]: value };
  return typeof value === 'bigint' || Number.isInteger(value) ? { [field]: String(value) } : {};
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

function shown(value: unknown): string {
  const text = asText(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function asText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  try {
    const text = JSON.stringify(value, (_, part) =>
      typeof part === 'bigint' ? String(part) : part,
    );
    return text ?? String(value);
  } catch (error) {
    // Thousands of levels can be parsed, but not written.
    if (error instanceof RangeError)
      return Array.isArray(value) ? '[… (too deep)' : '{… (too deep)';
    throw error;
  }
}

import protobuf from 'protobufjs';

/** Messages within messages; deeper values are no predictions. */
const maxMessageDepth = 100;
/** A value of the maximum size has fewer fields. */
const maxFields = 1_200_000;

type Entries = Map<string, unknown>;
/** What reading a value needs of a field, also of one that is a map. */
type ValueField = Pick<protobuf.FieldBase, 'name' | 'type' | 'resolvedType' | 'typeDefault'>;

/**
 * Reads a Protobuf message as the object that JSON would give. Enums are text, timestamps ISO 8601,
 * wrappers and `google.protobuf.Value` the value in them, and whole numbers that a number cannot
 * hold bigints. The name of a `oneof` has the value of the field that is set, and a message within
 * another that is nothing but a `oneof` is that value.
 * @param mayBeAbsent names of fields without presence whose default stands for "not set"
 * @throws Error when the bytes are no such message
 */
export function readProtobuf(
  type: protobuf.Type,
  bytes: Buffer,
  mayBeAbsent: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  const reader = new MessageReader(bytes);
  const entries = reader.fields(type, bytes.length, 0);
  addDefaults(type, entries, mayBeAbsent);
  addOneofs(type, entries);
  return plainObject(entries);
}

function plainObject(entries: Entries): Record<string, unknown> {
  return Object.fromEntries(Array.from(entries, ([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return plainObject(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

class MessageReader {
  readonly #reader: protobuf.Reader;
  #fields = 0;

  constructor(bytes: Buffer) {
    this.#reader = protobuf.Reader.create(bytes);
  }

  fields(type: protobuf.Type, end: number, depth: number): Entries {
    if (depth > maxMessageDepth)
      throw new Error(`the message has more than ${maxMessageDepth} levels`);
    if (end > this.#reader.len) throw new Error('a message ends behind the value');
    const entries: Entries = new Map();
    while (this.#reader.pos < end) {
      this.#countField();
      const tag = this.#reader.uint32();
      const field = type.fieldsById[tag >>> 3];
      if (field) this.#field(entries, field.resolve(), tag & 7, depth);
      else this.#reader.skipType(tag & 7);
    }
    if (this.#reader.pos > end) throw new Error('a field ends behind its message');
    return entries;
  }

  #field(entries: Entries, field: protobuf.Field, wireType: number, depth: number): void {
    if (isMap(field) && wireType !== lengthDelimited)
      throw new Error(`field ${field.name} has wire type ${wireType}, expected ${lengthDelimited}`);
    if (isMap(field)) {
      const map = (entries.get(field.name) ?? new Map()) as Entries;
      entries.set(field.name, map);
      const { key, value } = entryOf(field);
      this.#mapEntry(map, key, value, depth);
    } else if (field.repeated) {
      const values = (entries.get(field.name) ?? []) as unknown[];
      entries.set(field.name, values);
      if (wireType === 2 && isPackable(field)) this.#packed(values, field, depth);
      else values.push(this.#value(field, wireType, depth));
    } else {
      entries.set(field.name, this.#value(field, wireType, depth));
    }
  }

  #packed(values: unknown[], field: ValueField, depth: number): void {
    const end = this.#endOfLength();
    while (this.#reader.pos < end) {
      this.#countField();
      values.push(this.#scalar(field, depth));
    }
  }

  #mapEntry(map: Entries, keyType: string, field: ValueField, depth: number): void {
    const end = this.#endOfLength();
    let key: unknown = '';
    let value: unknown = defaultOf(field);
    while (this.#reader.pos < end) {
      this.#countField();
      const tag = this.#reader.uint32();
      if (tag >>> 3 === 1) key = wholeOrText(this.#read(keyType));
      else if (tag >>> 3 === 2) value = this.#value(field, tag & 7, depth);
      else this.#reader.skipType(tag & 7);
    }
    map.set(String(key), value);
  }

  #value(field: ValueField, wireType: number, depth: number): unknown {
    const expected = wireTypeOf(field);
    if (wireType !== expected)
      throw new Error(`field ${field.name} has wire type ${wireType}, expected ${expected}`);
    return this.#scalar(field, depth);
  }

  #scalar(field: ValueField, depth: number): unknown {
    const { resolvedType } = field;
    if (resolvedType instanceof protobuf.Enum) return enumText(resolvedType, this.#reader.int32());
    if (resolvedType instanceof protobuf.Type) {
      const end = this.#endOfLength();
      return asPlainValue(resolvedType, this.fields(resolvedType, end, depth + 1));
    }
    return wholeOrText(this.#read(field.type));
  }

  #read(type: string): unknown {
    const read = (this.#reader as unknown as Record<string, () => unknown>)[type];
    if (!read) throw new Error(`fields of the type ${type} are not read`);
    return read.call(this.#reader);
  }

  #endOfLength(): number {
    const length = this.#reader.uint32();
    const end = this.#reader.pos + length;
    if (end > this.#reader.len) throw new Error('a field ends behind the value');
    return end;
  }

  #countField(): void {
    if (++this.#fields > maxFields)
      throw new Error(`the message has more than ${maxFields} fields`);
  }
}

const lengthDelimited = 2;

/** A descriptor has a list of entries in place of a map. */
function isMap(field: protobuf.Field): boolean {
  return field instanceof protobuf.MapField || isEntry(field.resolvedType);
}

/** The fields are looked at too, because the parser gives the option to messages around entries. */
function isEntry(type: protobuf.Field['resolvedType']): type is protobuf.Type {
  return (
    type instanceof protobuf.Type &&
    type.getOption('map_entry') === true &&
    type.fieldsArray.length === 2 &&
    type.fieldsById[1]?.name === 'key' &&
    type.fieldsById[2]?.name === 'value'
  );
}

function entryOf(field: protobuf.Field): { key: string; value: ValueField } {
  if (field instanceof protobuf.MapField) return { key: field.keyType, value: field };
  const { key, value } = (field.resolvedType as protobuf.Type).fields;
  return { key: key!.type, value: value!.resolve() };
}

function wireTypeOf(field: ValueField): number {
  if (field.resolvedType instanceof protobuf.Enum) return 0;
  if (field.resolvedType instanceof protobuf.Type) return lengthDelimited;
  return (protobuf.types.basic as Record<string, number>)[field.type] ?? lengthDelimited;
}

function isPackable(field: ValueField): boolean {
  return wireTypeOf(field) !== lengthDelimited;
}

function enumText(type: protobuf.Enum, number: number): unknown {
  if (type.fullName === '.google.protobuf.NullValue') return null;
  return type.valuesById[number] ?? number;
}

/** The reader gives whole numbers of 64 bits as objects. */
function wholeOrText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const whole = BigInt(String(value));
  const asNumber = Number(whole);
  return Number.isSafeInteger(asNumber) ? asNumber : whole;
}

/** Returns a message within another as the value that it stands for. */
function asPlainValue(type: protobuf.Type, entries: Entries): unknown {
  addDefaults(type, entries, new Set());
  switch (type.fullName) {
    case '.google.protobuf.Timestamp':
      return timestampText(entries.get('seconds'), entries.get('nanos'));
    case '.google.protobuf.Duration':
      return Number(entries.get('seconds')) + Number(entries.get('nanos')) / 1e9;
    case '.google.protobuf.Struct':
      return entries.get('fields');
    case '.google.protobuf.ListValue':
      return entries.get('values');
  }
  if (/^\.google\.protobuf\.\w+Value$/.test(type.fullName) && entries.has('value'))
    return entries.get('value');
  const [oneof, ...others] = realOneofs(type);
  if (oneof && others.length === 0 && oneof.fieldsArray.length === type.fieldsArray.length)
    return valueSetIn(oneof, entries) ?? null;
  addOneofs(type, entries);
  return entries;
}

function timestampText(seconds: unknown, nanos: unknown): unknown {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return seconds;
  return date.toISOString().replace('.000Z', `.${String(nanos).padStart(9, '0')}Z`);
}

/** A field of proto3 without `optional` is not written when it has the default of its type. */
function addDefaults(
  type: protobuf.Type,
  entries: Entries,
  mayBeAbsent: ReadonlySet<string>,
): void {
  for (const field of type.fieldsArray) {
    field.resolve();
    if (entries.has(field.name) || field.partOf || mayBeAbsent.has(field.name)) continue;
    if (isMap(field)) entries.set(field.name, new Map());
    else if (field.repeated) entries.set(field.name, []);
    else if (!field.hasPresence) entries.set(field.name, defaultOf(field));
  }
}

function defaultOf(field: ValueField): unknown {
  if (field.resolvedType instanceof protobuf.Enum)
    return enumText(field.resolvedType, Number(field.typeDefault ?? 0));
  if (field.resolvedType instanceof protobuf.Type) return null;
  return Array.isArray(field.typeDefault) ? Buffer.alloc(0) : wholeOrText(field.typeDefault);
}

function realOneofs(type: protobuf.Type): protobuf.OneOf[] {
  return type.oneofsArray.filter(oneof => !oneof.name.startsWith('_'));
}

function valueSetIn(oneof: protobuf.OneOf, entries: Entries): unknown {
  const set = oneof.fieldsArray.find(({ name }) => entries.has(name));
  return set && entries.get(set.name);
}

function addOneofs(type: protobuf.Type, entries: Entries): void {
  for (const oneof of realOneofs(type))
    if (!entries.has(oneof.name)) entries.set(oneof.name, valueSetIn(oneof, entries) ?? null);
}

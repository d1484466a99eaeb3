type HeaderValue = Buffer | string | null;
/**
 * Headers by name, which may be that of a property of Object. A null value is legal in Kafka; the
 * values of a repeated header are an array.
 */
export type KafkaHeaders = Record<string, HeaderValue | HeaderValue[] | undefined>;

export interface RecordToEncode {
  offsetDelta?: number;
  timestampDelta?: number;
  key?: Buffer | string | null;
  value: Buffer | string | null;
  headers?: KafkaHeaders;
}

/**
 * Returns a record as it stands in a batch of magic 2. A header may have any name, a null value, or
 * several values; one without a value (undefined) is left out.
 */
export function encodeRecord(record: RecordToEncode): Buffer {
  const { offsetDelta = 0, timestampDelta = 0, key = null, value, headers = {} } = record;
  const fields = [
    Buffer.from([0]), // attributes, which are unused
    varint(timestampDelta),
    varint(offsetDelta),
    ...nullableBytes(key),
    ...nullableBytes(value),
  ];
  const pairs = headerPairs(headers);
  fields.push(varint(pairs.length));
  for (const [name, headerValue] of pairs)
    fields.push(...nullableBytes(name), ...nullableBytes(headerValue));
  let length = 0;
  for (const field of fields) length += field.length;
  const prefix = varint(length);
  return Buffer.concat([prefix, ...fields], prefix.length + length);
}

function headerPairs(headers: KafkaHeaders): [string, Buffer | string | null][] {
  return Object.keys(headers).flatMap(name => {
    const value = headers[name];
    if (value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((one): [string, Buffer | string | null] => [
      name,
      one,
    ]);
  });
}

/** Returns the length and the bytes. */
function nullableBytes(value: Buffer | string | null): [Buffer] | [Buffer, Buffer] {
  if (value === null) return [nullLength];
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return [varint(bytes.length), bytes];
}

/** Returns a whole number of up to 53 bits in zigzag code. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

const nullLength = varint(-1);

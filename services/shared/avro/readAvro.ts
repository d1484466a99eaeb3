import type { AvroNode } from './avroSchema.ts';
import { logicalValue } from './logicalTypes.ts';

/** Records within records; deeper values are no predictions. */
const maxValueDepth = 100;
/**
 * Steps that reading one value may take. A value of the maximum size has fewer, unless its schema
 * makes many values of no byte.
 */
export const maxReadingSteps = 1_200_000;

/**
 * Reads a value with the schema that it was written with, as the object that JSON would give: enums
 * and dates are text, decimals numbers. Whole numbers that a number cannot hold are bigints, bytes
 * without a logical type are a Buffer.
 * @throws Error when the bytes are no such value, or it takes too many steps
 */
export function readAvro(type: AvroNode, bytes: Buffer, offset: number): unknown {
  const reader = new AvroReader(bytes, offset);
  const value = reader.read(type, 0);
  reader.expectEnd();
  return value;
}

class AvroReader {
  readonly #bytes: Buffer;
  #position: number;
  #steps = 0;

  constructor(bytes: Buffer, offset: number) {
    this.#bytes = bytes;
    this.#position = offset;
  }

  expectEnd(): void {
    if (this.#position < this.#bytes.length) throw new Error('trailing data');
  }

  read(type: AvroNode, depth: number): unknown {
    if (++this.#steps > maxReadingSteps)
      throw new Error(`reading the value takes more than ${maxReadingSteps} steps`);
    if (depth > maxValueDepth) throw new Error(`the value has more than ${maxValueDepth} levels`);
    switch (type.kind) {
      case 'record':
        return this.#record(type, depth);
      case 'union': {
        const branch = type.branches[this.#number()];
        if (!branch) throw new Error('a union has no such branch');
        return this.read(branch, depth);
      }
      case 'array':
        return this.#array(type.items, depth);
      case 'map':
        return this.#map(type.values, depth);
      case 'enum': {
        const symbol = type.symbols[this.#number()];
        if (symbol === undefined) throw new Error('an enum has no such symbol');
        return symbol;
      }
      default:
        return logicalValue(type, this.#plain(type));
    }
  }

  #plain(type: Extract<AvroNode, { logical: string | null }>): unknown {
    switch (type.kind) {
      case 'null':
        return null;
      case 'boolean':
        return this.#take(1)[0] !== 0;
      case 'int':
      case 'long':
        return this.#whole();
      case 'float':
        return this.#take(4).readFloatLE();
      case 'double':
        return this.#take(8).readDoubleLE();
      case 'string':
        return this.#text();
      case 'bytes':
        return this.#take(this.#number());
      case 'fixed':
        return this.#take(type.size);
    }
  }

  #record(type: Extract<AvroNode, { kind: 'record' }>, depth: number): unknown {
    const entries: [string, unknown][] = [];
    for (const field of type.fields) entries.push([field.name, this.read(field.type, depth + 1)]);
    return Object.fromEntries(entries);
  }

  #array(items: AvroNode, depth: number): unknown[] {
    const values: unknown[] = [];
    this.#blocks(() => values.push(this.read(items, depth + 1)));
    return values;
  }

  #map(values: AvroNode, depth: number): unknown {
    const entries: [string, unknown][] = [];
    this.#blocks(() => entries.push([this.#text(), this.read(values, depth + 1)]));
    return Object.fromEntries(entries);
  }

  #blocks(readEntry: () => void): void {
    for (;;) {
      let size = this.#number();
      if (size === 0) return;
      if (size < 0) {
        this.#number();
        size = -size;
      }
      for (let entry = 0; entry < size; entry++) readEntry();
    }
  }

  #take(length: number): Buffer {
    const start = this.#position;
    if (!(length >= 0 && start + length <= this.#bytes.length)) throw new Error('truncated buffer');
    this.#position = start + length;
    return this.#bytes.subarray(start, start + length);
  }

  #text(): string {
    return this.#take(this.#number()).toString('utf8');
  }

  #number(): number {
    return Number(this.#whole());
  }

  /** Reads a zigzag number of variable length. */
  #whole(): number | bigint {
    let low = 0;
    let shift = 0;
    for (;;) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw new Error('truncated buffer');
      low += (byte & 0x7f) * 2 ** shift;
      shift += 7;
      if (byte < 0x80) return low % 2 === 0 ? low / 2 : -(low + 1) / 2;
      // Beyond 49 bits a double would lose the last ones.
      if (shift === 49) return this.#long(BigInt(low), 49n);
    }
  }

  #long(low: bigint, bits: bigint): number | bigint {
    let value = low;
    let shift = bits;
    for (;;) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) throw new Error('truncated buffer');
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (shift > 70n) throw new Error('a number has more than 64 bits');
      if (byte < 0x80) break;
    }
    const whole = value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
    const asNumber = Number(whole);
    return Number.isSafeInteger(asNumber) ? asNumber : whole;
  }
}

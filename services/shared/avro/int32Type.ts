import avro from 'avsc';
import type { AvroTap } from './avroTap.ts';

/** An int of at most 32 bits. avsc reads longer numbers as well, which no Int32 column takes. */
export class Int32Type extends avro.types.IntType {
  _read(tap: AvroTap): number {
    const value = tap.readLong();
    if ((value | 0) !== value) throw new Error(`${value} is not an int of 32 bits`);
    return value;
  }
}

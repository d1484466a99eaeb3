import avro from 'avsc';
import { type AvroReadable, type AvroTap, checkWithinBytes, readBlockSize, skipBlocks } from './avroTap.ts';

const protoLength = '__proto__'.length;

interface KnownKey {
  bytes: Buffer;
  text: string;
  /** Slot of the key that came after it the last time: of one producer it is so again. */
  nextSlot: number;
}

const slots = 4_096;
const longestKeyBytes = 64;
/** One key per slot, the latest: memory stays bounded whatever names come. */
const knownKeys: (KnownKey | undefined)[] = new Array(slots).fill(undefined);
/** Key of the map being read that was read last. */
let latestKey: KnownKey | undefined;

/**
 * A map of which the keys are names that come again with every record, such as features. avsc makes a new string of each, and
 * V8 must then look up which property it names: a third of the time to decode a record of 12 features. Here a key that
 * was seen before is found by its bytes.
 */
export class InternedMapType extends avro.types.MapType {
  // Called for the type itself and for its resolvers, which have `valuesType` as well.
  _read(this: { valuesType: AvroReadable }, tap: AvroTap): Record<string, unknown> {
    const values = this.valuesType;
    const map: Record<string, unknown> = {};
    latestKey = undefined;
    for (let size = readBlockSize(tap); size > 0; size = readBlockSize(tap)) {
      for (let entry = 0; entry < size; entry++) {
        const key = readKey(tap);
        const value = values._read(tap);
        if (key.length === protoLength && key === '__proto__') addAsOwn(map, key, value);
        else map[key] = value;
        checkWithinBytes(tap);
      }
    }
    return map;
  }

  _skip(this: { valuesType: AvroReadable }, tap: AvroTap): void {
    skipBlocks(tap, () => {
      tap.skipString();
      this.valuesType._skip(tap);
    });
  }
}

/** A producer may call a feature `__proto__`: to assign it would lose it. */
function addAsOwn(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

function readKey(tap: AvroTap): string {
  const start = tap.pos;
  const length = tap.readLong();
  const { buf, pos } = tap;
  const end = pos + length;
  if (!(length >= 0 && length <= longestKeyBytes && end <= buf.length)) {
    tap.pos = start;
    return tap.readString();
  }
  let known = latestKey && knownKeys[latestKey.nextSlot];
  if (!known || !equalsBytes(known.bytes, buf, pos, end)) {
    const slot = slotOf(buf, pos, end);
    known = knownKeyOf(slot, buf, pos, end);
    if (latestKey) latestKey.nextSlot = slot;
  }
  latestKey = known;
  tap.pos = end;
  return known.text;
}

function knownKeyOf(slot: number, buf: Buffer, start: number, end: number): KnownKey {
  const known = knownKeys[slot];
  if (known && equalsBytes(known.bytes, buf, start, end)) return known;
  const bytes = Buffer.from(buf.subarray(start, end));
  const added: KnownKey = { bytes, text: bytes.toString('utf8'), nextSlot: 0 };
  knownKeys[slot] = added;
  return added;
}

/** FNV-1a (Fowler, Noll, Vo). */
function slotOf(buf: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ buf[index]!, 0x01000193);
  return (hash ^ (hash >>> 16)) & (slots - 1);
}

function equalsBytes(bytes: Buffer, buf: Buffer, start: number, end: number): boolean {
  if (bytes.length !== end - start) return false;
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== buf[start + index]) return false;
  return true;
}

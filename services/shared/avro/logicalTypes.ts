import type { AvroNode } from './avroSchema.ts';

type Physical = Extract<AvroNode, { logical: string | null }>;

/** Digits of a decimal in bytes; a longer one is no number that anyone has measured. */
const maxDecimalBytes = 128;
const unitsPerSecond: Readonly<Record<string, number>> = { millis: 3, micros: 6, nanos: 9 };

/**
 * Returns a value as its logical type means it: decimals as numbers, dates, times and UUIDs as
 * text, in ISO 8601. A logical type that nobody knows changes nothing, as the specification asks.
 * @example logicalValue(timestampMicros, 1772443800000000) // '2026-03-02T09:30:00.000000Z'
 */
export function logicalValue(type: Physical, value: unknown): unknown {
  const { logical } = type;
  if (logical === null) return value;
  if (typeof value === 'number' || typeof value === 'bigint') return dateOrTime(logical, value);
  if (!Buffer.isBuffer(value)) return value;
  if (logical === 'decimal') return decimal(value, type.scale);
  if (logical === 'uuid' && value.length === 16)
    return value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  if (logical === 'duration' && value.length === 12) {
    const [months, days, milliseconds] = [0, 4, 8].map(at => value.readUInt32LE(at));
    return `P${months}M${days}DT${milliseconds! / 1000}S`;
  }
  return value;
}

/** Reads a number in two's complement, the highest byte first, with `scale` digits behind the point. */
function decimal(bytes: Buffer, scale: number): number {
  if (bytes.length > maxDecimalBytes)
    throw new Error(`a decimal has ${bytes.length} bytes, at most ${maxDecimalBytes} are read`);
  if (bytes.length === 0) return 0;
  const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
  return Number(`${unscaled}e${-scale}`);
}

function dateOrTime(logical: string, value: number | bigint): unknown {
  if (logical === 'date') return iso(BigInt(value) * 86_400n, 0)?.slice(0, 10) ?? value;
  const [, kind, unit] =
    /^(time|timestamp|local-timestamp)-(millis|micros|nanos)$/.exec(logical) ?? [];
  if (kind === undefined) return value;
  const text = iso(BigInt(value), unitsPerSecond[unit!]!);
  if (text === null) return value;
  if (kind === 'time') return text.slice(text.indexOf('T') + 1);
  return kind === 'timestamp' ? `${text}Z` : text;
}

/** Returns the date and time of a number of units since the epoch; null beyond the year 275760. */
function iso(value: bigint, digits: number): string | null {
  const perSecond = 10n ** BigInt(digits);
  const part = ((value % perSecond) + perSecond) % perSecond;
  const seconds = (value - part) / perSecond;
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  const whole = date.toISOString().slice(0, -'.000Z'.length);
  return part === 0n ? whole : `${whole}.${String(part).padStart(digits, '0')}`;
}

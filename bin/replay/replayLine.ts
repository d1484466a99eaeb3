import { eventTimeMs } from '../../services/shared/records/eventTime.ts';
import { parseJson } from '../../services/shared/records/parseJson.ts';

/** A line of a file as it goes to Kafka. */
export interface ReplayLine {
  /** The id of the record, or null if none can be read. */
  key: string | null;
  /** The line as it is in the file. */
  value: Buffer;
  /** Event time, or null if none can be read. */
  timeMs: number | null;
}

const maxKeyCharacters = 256;

/**
 * Reads what is needed to send a line. Whether it is a usable record is for the services to decide,
 * so a line that is not JSON is sent as well.
 */
export function replayLine(value: Buffer): ReplayLine {
  let content: unknown;
  try {
    content = parseJson(value.toString('utf8'));
  } catch {
    // The service that reads the line sends it to dead-letters.
    return { key: null, value, timeMs: null };
  }
  const { id, time } = (content ?? {}) as { id?: unknown; time?: unknown };
  return { key: keyOf(id), value, timeMs: eventTimeMs(time) ?? null };
}

function keyOf(id: unknown): string | null {
  const text = Number.isSafeInteger(id) ? String(id) : id;
  return typeof text === 'string' && text.length <= maxKeyCharacters ? text : null;
}

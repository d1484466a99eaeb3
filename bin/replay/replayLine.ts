import { isoTimeMs } from '../../services/shared/records/decodeRecord.ts';

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
    content = JSON.parse(value.toString('utf8'));
  } catch {
    // The service that reads the line sends it to dead-letters.
    return { key: null, value, timeMs: null };
  }
  const { id, time } = (content ?? {}) as { id?: unknown; time?: unknown };
  return {
    key: typeof id === 'string' && id.length <= maxKeyCharacters ? id : null,
    value,
    timeMs: eventTimeMs(time),
  };
}

function eventTimeMs(time: unknown): number | null {
  if (typeof time === 'string') return isoTimeMs(time) ?? null;
  // 1e999 is valid JSON but infinite, and nothing can wait for that time.
  return typeof time === 'number' && Number.isFinite(time) ? time : null;
}

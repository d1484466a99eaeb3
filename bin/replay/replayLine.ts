import { isoTimeMs } from '../../services/shared/records/decodeRecord.ts';

/** One line of a file on its way to Kafka. */
export interface ReplayLine {
  /** The id, where one can be read. */
  key: string | null;
  /** The line as it stands in the file. */
  value: Buffer;
  /** Event time, where one can be read. */
  timeMs: number | null;
}

const longestKeyCharacters = 256;

/**
 * What has to be known of a line to send it. Nothing is judged here: whether it is a prediction is for the services to say,
 * and a line that is none is sent like any other.
 */
export function replayLine(value: Buffer): ReplayLine {
  let content: unknown;
  try {
    content = JSON.parse(value.toString('utf8'));
  } catch {
    // The service that reads it sends it to dead-letters with the reason.
    return { key: null, value, timeMs: null };
  }
  const { id, time } = (content ?? {}) as { id?: unknown; time?: unknown };
  return {
    key: typeof id === 'string' && id.length <= longestKeyCharacters ? id : null,
    value,
    timeMs: eventTimeMs(time),
  };
}

function eventTimeMs(time: unknown): number | null {
  if (typeof time === 'string') return isoTimeMs(time) ?? null;
  // 1e999 is JSON and infinite: no time that anything could wait for.
  return typeof time === 'number' && Number.isFinite(time) ? time : null;
}
